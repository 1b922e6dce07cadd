"""HTTP with one server: bounded in time and size, ended from any thread, foreign exceptions translated."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from weakref import WeakSet

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from pf_exporter.errors import ExporterError, Rejected, StreamBroken, StreamEnded, StreamIdle, Unavailable

CONNECT_TIMEOUT = 10.0
"""Seconds for a TCP connection, and again for each step of a TLS handshake."""
CALL_DEADLINE = 30.0
"""Seconds for a whole request and its answer, however slowly they drip."""
BODY_LIMIT = 32 << 20
"""Bytes of one answer, after decompression; 5,000 ports are about 5 MB."""
_CHUNK = 1 << 16

Headers = Mapping[str, "str | bytes"]


class _Sockets:
    """The sockets of one conversation, so that another thread can end whatever waits on them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: WeakSet[socket.socket] = WeakSet()
        self._aborted = False

    def add(self, sock: socket.socket) -> None:
        with self._lock:
            self._open.add(sock)
            aborted = self._aborted
        if aborted:
            self._end(sock)

    def abort(self) -> None:
        """End the waiting of every reader, now and for sockets still to come."""
        with self._lock:
            self._aborted = True
            waiting = list(self._open)
        for sock in waiting:
            self._end(sock)

    @staticmethod
    def _end(sock: socket.socket) -> None:
        # shutdown(), never close(): closing a socket another thread reads from leaves that thread waiting.
        # The method of the plain socket, because that of a TLS socket takes its state from under the reader.
        with contextlib.suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


@contextlib.contextmanager
def _ended_after(seconds: float, sockets: _Sockets) -> Iterator[None]:
    """A deadline for the whole of what is inside; requests' own timeouts begin anew with each byte."""
    timer = threading.Timer(seconds, sockets.abort)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


_KEEPALIVE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, option), value)
        for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
        if hasattr(socket, option)
    ),
]


class _Adapter(HTTPAdapter):
    """requests' way to a server, with TCP keepalive and sockets that can be ended from outside."""

    def __init__(self, sockets: _Sockets) -> None:
        self._sockets = sockets
        super().__init__(pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        sockets = self._sockets

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                sockets.add(self.sock)

        class Secure(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                sockets.add(self.sock)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class SecurePool(HTTPSConnectionPool):
            ConnectionCls = Secure

        options["socket_options"] = [*HTTPConnection.default_socket_options, *_KEEPALIVE]
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}


def _cause(exc: BaseException) -> str:
    """Why a request failed, in words that hold nothing of its URL, headers or body."""
    seen: set[int] = set()
    pending: list[object] = [exc]
    timed_out = False
    while pending:
        current = pending.pop(0)
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, ssl.SSLCertVerificationError):
            return f"the server's certificate is not trusted: {current.verify_message}"
        if isinstance(current, ssl.SSLError):
            return f"TLS failed: {current.reason or 'the server ended the handshake'}"
        if isinstance(current, socket.gaierror):
            return f"the name cannot be resolved: {current.strerror}"
        timed_out = timed_out or isinstance(current, TimeoutError | urllib3.exceptions.TimeoutError)
        if isinstance(current, OSError) and current.errno is not None:
            return current.strerror or type(current).__name__
        pending += [*current.args, getattr(current, "reason", None), current.__cause__, current.__context__]
    return "timed out" if timed_out else type(exc).__name__


# requests' word for requests that cannot even be made: an unusable URL or header.
_UNSENDABLE = (
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidJSONError,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.URLRequired,
    urllib3.exceptions.LocationValueError,
)
FOREIGN = (requests.RequestException, urllib3.exceptions.HTTPError, urllib3.exceptions.HTTPWarning, OSError)
"""Everything that requests and urllib3 raise."""


def translate(exc: BaseException, doing: str, *, streaming: bool = False) -> ExporterError:
    """What an exception of requests or urllib3 means to us, without a word of the request in it."""
    why = f"{doing}: {_cause(exc)}"
    if streaming:
        # urllib3 reports silence as a timeout of its own; requests never gets to see it.
        idle = isinstance(exc, urllib3.exceptions.ReadTimeoutError | TimeoutError)
        return StreamIdle(f"{doing}: nothing was received for too long") if idle else StreamBroken(why)
    if isinstance(exc, _UNSENDABLE):
        return Rejected(
            f"{doing}: the request cannot be made ({type(exc).__name__}); check api_url and the token"
        )
    return Unavailable(why)


@contextlib.contextmanager
def _translated(doing: str, *, streaming: bool = False) -> Iterator[None]:
    try:
        yield
    except FOREIGN as exc:
        # Without its cause: a foreign exception's text can hold the header with the token.
        raise translate(exc, doing, streaming=streaming) from None


class Answer(NamedTuple):
    """A whole answer to a request."""

    status: int
    headers: Mapping[str, str]
    """By name in any case."""
    body: bytes


class Stream:
    """An answer without an end: bytes for one thread, an end that any thread may bring about."""

    def __init__(self, transport: Transport, http: requests.Session, sockets: _Sockets) -> None:
        self._transport = transport
        self._http = http
        self._sockets = sockets
        self._response: requests.Response | None = None

    def _opened(self, response: requests.Response) -> Stream:
        self._response = response
        return self

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self._raw.status)

    @property
    def headers(self) -> Mapping[str, str]:
        """The answer's headers, by name in any case."""
        headers: Mapping[str, str] = self._raw.headers
        return headers

    @property
    def _raw(self) -> Any:
        assert self._response is not None
        return self._response.raw

    def head(self) -> bytes:
        """The first bytes of an answer that turned out to be no stream: an error's text."""
        with _translated("the answer"):
            return bytes(self._raw.read(_CHUNK, decode_content=True))

    def chunks(self) -> Iterator[bytes]:
        """The body's bytes as they arrive. A StreamError ends it, never the iterator itself."""
        while True:
            with _translated("stream", streaming=True):
                # read1 alone hands out what has arrived without waiting for more, whatever the framing.
                chunk = self._raw.read1(_CHUNK)
            if not chunk:
                raise StreamEnded("stream: the server ended it")
            yield chunk

    def shutdown(self) -> None:
        """Wake the thread that reads; for other threads, which must not close()."""
        self._sockets.abort()

    def close(self) -> None:
        """Give everything back; for the thread that reads."""
        self._transport._forget(self._sockets)
        self._sockets.abort()
        if self._response is not None:
            self._response.close()
        self._http.close()


class Transport:
    """Requests to one server. Its methods may be called from any thread."""

    def __init__(self, base_url: str, headers: Headers, *, ca_file: str | None = None) -> None:
        self._base_url = base_url
        self._headers = headers
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._open: set[_Sockets] = set()
        self._aborted = False

    def abort(self) -> None:
        """End every request under way, and from now on every one but a farewell."""
        with self._lock:
            self._aborted = True
            waiting = list(self._open)
        for sockets in waiting:
            sockets.abort()

    def _forget(self, sockets: _Sockets) -> None:
        with self._lock:
            self._open.discard(sockets)

    def _begin(self, *, farewell: bool = False) -> Stream:
        """A requests session of its own for each request: whoever ends one ends no other."""
        sockets = _Sockets()
        with self._lock:
            self._open.add(sockets)
            refused = self._aborted and not farewell
        if refused:
            sockets.abort()
        http = requests.Session()
        # No .netrc, proxy or CA bundle out of the environment: each could carry the token elsewhere.
        http.trust_env = False
        http.verify = self._ca_file or True
        http.headers.update(self._headers)
        for scheme in ("http://", "https://"):
            http.mount(scheme, _Adapter(sockets))
        return Stream(self, http, sockets)

    def open(
        self,
        doing: str,
        method: str,
        path: str,
        *,
        headers: Headers,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        silence: float = CALL_DEADLINE,
        deadline: float = CALL_DEADLINE,
        farewell: bool = False,
    ) -> Stream:
        """Send a request and give its answer once the headers are there, at most ``deadline`` seconds later.

        ``silence`` is how many seconds its body may pause. ``doing`` begins the text of every error.
        """
        stream = self._begin(farewell=farewell)
        try:
            with _translated(doing), _ended_after(deadline, stream._sockets):
                return stream._opened(
                    stream._http.request(
                        method,
                        self._base_url + path,
                        json=body,
                        params=query,
                        headers=headers,
                        timeout=(min(CONNECT_TIMEOUT, deadline), silence),
                        allow_redirects=False,
                        stream=True,
                    )
                )
        except BaseException:
            stream.close()
            raise

    def call(
        self,
        doing: str,
        method: str,
        path: str,
        *,
        headers: Headers,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        deadline: float = CALL_DEADLINE,
        farewell: bool = False,
    ) -> Answer:
        """Send a request and give its whole answer, at most ``deadline`` seconds for either."""
        stream = self.open(
            doing,
            method,
            path,
            headers=headers,
            body=body,
            query=query,
            silence=deadline,
            deadline=deadline,
            farewell=farewell,
        )
        try:
            with _translated(doing), _ended_after(deadline, stream._sockets):
                answer = bytes(stream._raw.read(BODY_LIMIT + 1, decode_content=True))
        finally:
            stream.close()
        if len(answer) > BODY_LIMIT:
            raise Rejected(f"{doing}: the answer is larger than {BODY_LIMIT >> 20} MiB")
        return Answer(stream.status, stream.headers, answer)
