"""A PacketFabric on 127.0.0.1 that a test controls down to the byte.

Without a script it works: it logs in, subscribes, streams heartbeats and what ``send`` is given.
A test scripts only what differs, by phase::

    with Fake() as fake:
        fake.script["login"] = [Answer(500), OK]                       # then the default
        fake.script["open"] = [STREAM.but(stop=RST, at=b'"rx_')]       # reset inside an event
        fake.script["subscribe"] = [Answer(429, {"Retry-After": "1"}), OK, NOTHING_MORE]
        fake.script["logout"] = itertools.repeat(SILENCE)              # always

A phase is ``connect`` (before a byte is read), ``login``, ``logout``, ``subscribe``, ``open``, or another
path, such as ``/v2/ports``. A step is an :class:`Answer`, ``OK``, a piece, a tuple of these, such as
``(gate.wait, OK)``, or a function of the request in :class:`By`. A piece is bytes to send, seconds to
pause, a function to call, or a :class:`Move`.
"""

from __future__ import annotations

import atexit
import contextlib
import enum
import itertools
import json
import select
import socket
import ssl
import struct
import threading
import time
import uuid
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret


class Move(enum.Enum):
    """What to do on a connection other than sending."""

    FIN = "close it"
    RST = "reset it"
    SILENCE = "send nothing more, and keep it open until the client closes it"
    LIVE = "send fake.events, then what fake.send() is given, with heartbeats in between"
    END = "end what LIVE began"
    OK = "respond as without a script"
    NOTHING_MORE = "fail the test: this request must not come"


FIN, RST, SILENCE, LIVE, END, OK, NOTHING_MORE = Move
HEARTBEAT = b":\n\n"

Piece: TypeAlias = "bytes | float | Move | Callable[[], object]"


@dataclass(frozen=True)
class Answer:
    """An HTTP response. Each bytes piece of a chunked body is one chunk."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Iterable[Piece] = b""
    framing: str = "length"
    """``length``, ``chunked`` or ``close``; a ``Content-Length`` among the headers is left as it is."""
    stop: Move | None = None
    """What to do right after the bytes ``at`` of the response, headers and framing included."""
    at: bytes = b""
    drip: float = 0.0
    """Seconds between any two bytes of the response."""

    def but(self, **changes: Any) -> Answer:
        """A copy with changes."""
        return replace(self, **changes)

    def pieces(self, live: Iterable[Piece]) -> Iterable[Piece]:
        """What is sent, with ``live`` instead of ``LIVE``."""
        pieces = self._whole(live)
        if self.stop is not None:
            pieces = _cut(pieces, self.at, self.stop)
        return dripped(pieces, self.drip) if self.drip else pieces

    def _whole(self, live: Iterable[Piece]) -> Iterator[Piece]:
        body = [self.body] if isinstance(self.body, bytes) else self.body
        headers = {"Content-Type": "application/json", **self.headers}
        if self.framing == "chunked":
            headers["Transfer-Encoding"] = "chunked"
        elif self.framing == "length" and self.status not in (204, 304):
            # The length of a body in pieces is not known beforehand: it gets one it never reaches.
            headers.setdefault(
                "Content-Length", str(len(self.body) if isinstance(self.body, bytes) else 1 << 40)
            )
        lines = [f"HTTP/1.1 {self.status} Because", *(f"{name}: {value}" for name, value in headers.items())]
        yield "\r\n".join([*lines, "", ""]).encode("latin-1")
        chunked = self.framing == "chunked"
        for piece in itertools.chain.from_iterable(live if piece is LIVE else (piece,) for piece in body):
            yield b"%x\r\n%b\r\n" % (len(piece), piece) if chunked and isinstance(piece, bytes) else piece
        if chunked:
            yield b"0\r\n\r\n"
        if self.framing == "close":
            yield FIN


Part: TypeAlias = "Answer | Piece"
Step: TypeAlias = "Part | tuple[Part, ...] | By"


def answer(status: int, value: object, **headers: str) -> Answer:
    """A response with a JSON body."""
    return Answer(status, headers, json.dumps(value).encode())


STREAM = Answer(200, {"Content-Type": "text/event-stream"}, (HEARTBEAT, LIVE), "chunked")
"""A stream of events; ``STREAM.but(framing="close")``, ``STREAM.but(body=(HEARTBEAT, 0.1, FIN))``."""


def event(name: str, data: object) -> bytes:
    """An event in the form of the stream."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def dripped(pieces: Iterable[Piece], every: float) -> Iterator[Piece]:
    """The same pieces, one byte at a time."""
    for piece in pieces:
        for byte in piece if isinstance(piece, bytes) else ():
            yield bytes([byte])
            yield every
        if not isinstance(piece, bytes):
            yield piece


def bomb(size: int) -> bytes:
    """A gzip of ``size`` zeros, without its end."""
    squeeze = zlib.compressobj(9, wbits=31)
    first, next_ = (squeeze.compress(bytes(1 << 20)) + squeeze.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + next_ * ((size >> 20) - 1)


def certificate(folder: Path, name: str = "127.0.0.1", *, days: int = 1) -> tuple[str, ssl.SSLContext]:
    """A self-signed certificate: the path of a file to trust, and a server's context; expired if days < 0."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fake")])
    now = datetime.now(timezone.utc)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(9)).not_valid_after(now + timedelta(days))
    signed = builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256())
    pem = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    trusted, both = folder / f"{name}.pem", folder / f"{name}.key"
    trusted.write_bytes(signed.public_bytes(Encoding.PEM))
    both.write_bytes(trusted.read_bytes() + key.private_bytes(*pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return str(trusted), context


def _reserve_port() -> int:
    """Return a port on which nothing listens until this process ends, because no other program can get it."""
    reserved = socket.socket()
    reserved.bind(("127.0.0.1", 0))
    atexit.register(reserved.close)
    return int(reserved.getsockname()[1])


# Opened on import, so that no test seems to leave a descriptor behind.
_RESERVED_PORT = _reserve_port()


def dead_url() -> str:
    """A URL where nothing listens."""
    return f"http://127.0.0.1:{_RESERVED_PORT}"


def _cut(pieces: Iterable[Piece], at: bytes, stop: Move) -> Iterator[Piece]:
    sent = b""
    for piece in pieces:
        if isinstance(piece, bytes):
            place = (sent + piece).find(at)
            if place >= 0:
                yield piece[: place + len(at) - len(sent)]
                yield stop
                return
            sent += piece
        yield piece


@dataclass(frozen=True)
class Request:
    """A received request."""

    phase: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes
    at: float
    """By the monotonic clock."""
    connection: int

    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


@dataclass(frozen=True)
class By:
    """A step that depends on the request."""

    step: Callable[[Request], Part | tuple[Part, ...]]


class Gone(Exception):
    """The connection is over."""


class _Connection:
    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock = sock
        self.number = number
        self.inbox: deque[Piece] = deque()
        self._waker, self._woken = socket.socketpair()

    def hand(self, piece: Piece) -> None:
        self.inbox.append(piece)
        self._waker.send(b"!")

    def receive(self) -> bytes:
        data = self.sock.recv(1 << 16)
        if not data:
            raise Gone
        return data

    def wait(self, timeout: float | None) -> bool:
        """Wait for a piece in the inbox; return whether one came. Raises Gone if the client closes."""
        ready, _, _ = select.select([self.sock, self._woken], [], [], timeout)
        if self.sock in ready:
            self.receive()
        return self._woken in ready and bool(self._woken.recv(1 << 16))

    def read(self) -> Request:
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.receive()
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += self.receive()
        method, target, _ = first.split(" ")
        path, _, query = target.partition("?")
        phase = _PHASES.get((method, path), "open" if path.startswith("/v2/events/") else path)
        return Request(phase, method, path, query, headers, body, time.monotonic(), self.number)

    def end(self) -> None:
        """Wake all waits on it; any thread may call."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def close(self, *, reset: bool) -> None:
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self.end()
        for sock in (self.sock, self._waker, self._woken):
            sock.close()


_PHASES = {
    ("POST", "/v2/auth/login"): "login",
    ("GET", "/v2/auth/logout"): "logout",
    ("POST", "/v2/events"): "subscribe",
}


class _Script(dict[str, Iterator[Step]]):
    def __setitem__(self, phase: str, steps: Iterable[Step]) -> None:
        super().__setitem__(phase, iter(steps))


class Fake:
    """The server; see the docstring of this module."""

    def __init__(self, *, tls: ssl.SSLContext | None = None, heartbeat: float = 0.5) -> None:
        self.script: dict[str, Iterable[Step]] = _Script()  # type: ignore[assignment]  # takes more than it gives
        self.events: list[Piece] = []
        """Sent at the start of every stream."""
        self.session: dict[str, object] = {}
        """Fields of the response to a login, besides the token."""
        self.lists: dict[str, list[object]] = {
            path: []
            for path in (
                *("/v2/ports", "/v2/services", "/v2/activity-logs"),
                *("/v2/maintenances/notifications", "/v2/locations", "/v2/api-keys"),
            )
        }
        """Lists by path, served in pages."""
        self.requests: list[Request] = []
        self.sessions: set[str] = {"key"}
        """Accepted tokens: the API key ``key``, and one for each login."""
        self.subscriptions: dict[str, str] = {}
        """Subscriptions that can be streamed, and their tokens."""
        self.streams: list[_Connection] = []
        """Connections with a live stream."""
        self.connections: set[_Connection] = set()
        """Open connections."""
        self.most: Counter[str] = Counter()
        """The largest number of concurrent requests, by phase."""
        self.changed = threading.Condition(threading.RLock())
        self._now: Counter[str] = Counter()
        self._faults: list[str] = []
        self._threads: list[threading.Thread] = []
        self._heartbeat = heartbeat
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)

    def account(self, **changes: Any) -> Account:
        """An account that logs in here with a password."""
        return replace(
            Account(api_url=self.url, login=Secret("user"), password=Secret("password")), **changes
        )

    def of(self, phase: str) -> list[Request]:
        """The requests of a phase, in order."""
        with self.changed:
            return [request for request in self.requests if request.phase == phase]

    def send(self, *pieces: Piece) -> None:
        """Send pieces on every live stream: events, or ``FIN``."""
        with self.changed:
            for connection in self.streams:
                for piece in pieces:
                    connection.hand(piece)

    def wait_for(self, predicate: Callable[[], object], timeout: float = 60.0) -> None:
        """Wait until ``predicate`` is true; it is evaluated whenever something happens here."""
        with self.changed:
            if not self.changed.wait_for(predicate, timeout):
                seen = [f"{request.method} {request.path}" for request in self.requests]
                raise AssertionError(f"timed out; {len(self.streams)} streams; requests: {seen}")

    def __enter__(self) -> Fake:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: object, trace: TracebackType | None) -> None:
        # shutdown() first: close() alone does not wake accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join(60)
        with self.changed:
            for connection in self.connections:
                connection.end()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()
        assert kind is not None or not self._faults, self._faults

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name="fake", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        for number in itertools.count(1):
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self.changed:
                connection = _Connection(sock, number)
                self.connections.add(connection)
                self._start(self._serve, connection)
                self.changed.notify_all()

    def _serve(self, connection: _Connection) -> None:
        reset = False
        try:
            self._play(connection, "connect")
            if self._tls is not None:
                connection.sock = self._tls.wrap_socket(connection.sock, server_side=True)
            while True:
                self._turn(connection, connection.read())
        except Gone as gone:
            reset = gone.args == (RST,)
        except OSError:
            pass
        except Exception as exc:  # noqa: BLE001  # reported by __exit__
            self._faults.append(repr(exc))
        with self.changed:
            self._leave(connection)
            self.connections.discard(connection)
            connection.close(reset=reset)
            self.changed.notify_all()

    def _turn(self, connection: _Connection, request: Request) -> None:
        phase = request.phase
        with self.changed:
            self.requests.append(request)
            self._now[phase] += 1
            self.most[phase] = max(self.most[phase], self._now[phase])
            self.changed.notify_all()
        try:
            self._play(connection, phase, request)
        finally:
            with self.changed:
                self._now[phase] -= 1
                self.changed.notify_all()

    def _play(self, connection: _Connection, phase: str, request: Request | None = None) -> None:
        """Execute the next step of the phase."""
        with self.changed:
            step: Any = next(iter(self.script.get(phase, ())), OK)
        parts = step.step(request) if isinstance(step, By) and request is not None else step
        for part in parts if isinstance(parts, tuple) else (parts,):
            if part is OK:
                part = self._default(request) if request is not None else b""
            if isinstance(part, Answer):
                for piece in part.pieces(self._run(connection)):
                    self._do(connection, piece, phase)
            else:
                self._do(connection, part, phase)

    def _do(self, connection: _Connection, piece: Piece, phase: str) -> None:
        if isinstance(piece, bytes):
            connection.sock.sendall(piece)
        elif isinstance(piece, float | int):
            connection.wait(piece)
        elif piece is SILENCE:
            while True:
                connection.wait(None)
        elif isinstance(piece, Move):
            if piece is NOTHING_MORE:
                self._faults.append(f"{phase}: unexpected request")
            raise Gone(piece)
        else:
            piece()

    def _run(self, connection: _Connection) -> Iterator[Piece]:
        with self.changed:
            connection.inbox.extend(self.events)
            self.streams.append(connection)
            self.changed.notify_all()
        while True:
            while connection.inbox:
                piece = connection.inbox.popleft()
                if piece is END:
                    self._leave(connection)
                    return
                yield piece
            if not connection.wait(self._heartbeat):
                yield HEARTBEAT

    def _leave(self, connection: _Connection) -> None:
        with self.changed:
            if connection in self.streams:
                self.streams.remove(connection)
                self.changed.notify_all()

    def _default(self, request: Request) -> Answer:
        """The response of a PacketFabric that works."""
        with self.changed:
            if request.phase == "login":
                token = str(uuid.uuid4())
                self.sessions.add(token)
                return answer(200, {"token": token, **self.session})
            token = request.headers.get("authorization", "").removeprefix("Bearer ")
            if token not in self.sessions:
                return answer(401, {"message": "who are you?"})
            return self._authorized(request, token)

    def _authorized(self, request: Request, token: str) -> Answer:
        if request.phase == "logout":
            self.sessions.discard(token)
            self.subscriptions = {
                subscription: owner for subscription, owner in self.subscriptions.items() if owner != token
            }
            return answer(200, {"message": "logged out"})
        if request.phase == "subscribe":
            subscription = str(uuid.uuid4())
            self.subscriptions[subscription] = token
            return answer(201, {"subscription_uuid": subscription})
        if request.phase == "open" and self.subscriptions.get(request.path.rpartition("/")[2]) == token:
            return STREAM
        if request.phase in self.lists:
            query = dict(parse_qsl(request.query))
            size, offset = int(query.get("page_size", 20)), int(query.get("offset", 0))
            return answer(200, self.lists[request.phase][offset : offset + size])
        return answer(404, {"message": "not found"})
