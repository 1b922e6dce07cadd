"""HTTP with one server: bounded in time and size, ended from any thread, foreign exceptions translated."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import requests
import urllib3

from pf_exporter.errors import ExporterError, Rejected, StreamBroken, StreamEnded, StreamIdle, Unavailable
from pf_exporter.wire import Headers, Session, Wire

CONNECT_TIMEOUT = 10.0
"""Seconds for a TCP connection to one address, and again for each step of a TLS handshake."""
CALL_DEADLINE = 30.0
"""Seconds for a whole request and its answer, however slowly they drip, but for the look-up of the name."""
BODY_LIMIT = 32 << 20
"""Bytes of one answer, after decompression; 5,000 ports are about 5 MB."""
LONGEST_SILENCE = 86_400.0
"""Seconds; a socket counts the milliseconds of its timeout in 32 bits, and 50 days become an instant."""
_CHUNK = 1 << 16
_SHUT_DOWN = "ended by this exporter"

T = TypeVar("T")


_CUT = (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError)


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
        if isinstance(current, ssl.SSLError) and getattr(current, "reason", "") == "WRONG_VERSION_NUMBER":
            return "TLS failed: the server speaks none on this port; is it http, not https?"
        if isinstance(current, ssl.SSLError):
            return f"TLS failed: {getattr(current, 'reason', None) or 'the server ended the handshake'}"
        if isinstance(current, socket.gaierror):
            return f"the name cannot be resolved: {current.strerror}"
        timed_out = timed_out or isinstance(current, TimeoutError | urllib3.exceptions.TimeoutError)
        if isinstance(current, OSError) and current.errno is not None:
            return current.strerror or type(current).__name__
        pending += [*current.args, getattr(current, "reason", None), current.__cause__, current.__context__]
    if timed_out:
        return "timed out"
    return "cut off by the server" if isinstance(exc, _CUT) else type(exc).__name__


# requests' words for requests that cannot even be made: an unusable URL or header. For one of the answer's
# headers it has the same word, out of urllib3's.
_UNSENDABLE = (
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidJSONError,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.URLRequired,
    urllib3.exceptions.LocationValueError,
)
FOREIGN = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    urllib3.exceptions.HTTPWarning,
    urllib3.exceptions.ProxySchemeUnsupported,
    OSError,
)
"""Everything that requests and urllib3 raise."""


def translate(exc: BaseException, doing: str, *, streaming: bool = False) -> ExporterError:
    """What an exception of requests or urllib3 means to us, without a word of the request in it."""
    why = f"{doing}: {_cause(exc)}"
    if streaming:
        # urllib3 reports silence as a timeout of its own; requests never gets to see it.
        idle = isinstance(exc, urllib3.exceptions.ReadTimeoutError | TimeoutError)
        return StreamIdle(f"{doing}: nothing was received for too long") if idle else StreamBroken(why)
    if isinstance(exc, _UNSENDABLE) and not isinstance(exc.__context__, urllib3.exceptions.InvalidHeader):
        return Rejected(
            f"{doing}: the request cannot be made ({type(exc).__name__}); check api_url and the token"
        )
    return Unavailable(why)


class Answer(NamedTuple):
    """A whole answer to a request."""

    status: int
    headers: Mapping[str, str]
    """By name in any case."""
    body: bytes


class Stream:
    """A request and its answer: for one thread, but that any other may end it."""

    def __init__(
        self,
        doing: str,
        http: Session,
        wire: Wire,
        *,
        deadline: float,
        silence: float,
        closed: Callable[[Wire], None],
    ) -> None:
        self._doing = doing
        self._http = http
        self._wire = wire
        self._closed = closed
        self._raw: Any = None
        self._silence = silence
        self._heard = False
        self._streaming: Iterator[bytes] | None = None
        self._over = threading.Event()
        # requests' own timeouts begin anew with each byte.
        self._deadline = threading.Timer(
            deadline, wire.cut, (f"no whole answer within {deadline:g} seconds",)
        )
        self._deadline.daemon = True
        self._deadline.start()

    def _send(self, method: str, url: str, **options: Any) -> None:
        def send() -> None:
            self._raw = self._http.request(method, url, allow_redirects=False, stream=True, **options).raw

        self._do(send)

    def _do(self, work: Callable[[], T]) -> T:
        """Do it, with what goes wrong in our words; when the wire was cut, that alone is what went wrong."""
        error: ExporterError | None = None
        try:
            result = work()
        except FOREIGN as exc:
            error = translate(exc, self._doing)
        if self._wire.why:
            error = Unavailable(f"{self._doing}: {self._wire.why}")
        if error is not None:
            # Out here, where it holds nothing of the foreign one: neither its text, which may quote the
            # token, nor its frames, which keep sockets open.
            raise error
        return result

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self._raw.status)

    @property
    def headers(self) -> Mapping[str, str]:
        """The answer's headers, by name in any case."""
        headers: Mapping[str, str] = self._raw.headers
        return headers

    def head(self) -> bytes:
        """The beginning of the body of a refusal: a courtesy, and empty where it cannot be had."""
        try:
            return self._read(_CHUNK)
        except ExporterError:
            return b""

    def body(self) -> bytes:
        """The whole body."""
        body = self._read(BODY_LIMIT + 1)
        if len(body) > BODY_LIMIT:
            raise Rejected(f"{self._doing}: the answer is larger than {BODY_LIMIT >> 20} MiB")
        return body

    def _read(self, most: int) -> bytes:
        return bytes(self._do(lambda: self._raw.read(most, decode_content=True)))

    def _watch(self) -> None:
        # A socket's own timeout begins anew with each byte, also with those that frame a chunk for ever.
        while not self._over.wait(self._silence):
            if not self._heard:
                self._wire.cut("nothing was received for too long", StreamIdle)
            self._heard = False

    def _pieces(self) -> Iterator[bytes]:
        raw = self._raw
        if raw.chunked:
            # What the server wrote at once, at half the cost of read1.
            pieces: Iterator[bytes] = raw.read_chunked(_CHUNK, decode_content=False)
            return pieces
        # read1 alone hands out what has arrived without waiting for more.
        return iter(lambda: raw.read1(_CHUNK, decode_content=False), b"")

    def chunks(self) -> Iterator[bytes]:
        """The body's bytes as they arrive, with no deadline. What ends it is always a StreamError.

        None for as long as it may be silent, or twice that if framing without content comes: StreamIdle.
        """
        self._deadline.cancel()
        if self._streaming is None:
            self._heard = True
            self._streaming = self._pieces()
            threading.Thread(target=self._watch, name="stream watchdog", daemon=True).start()
        wire = self._wire
        error: ExporterError | None = None
        try:
            for chunk in self._streaming:
                if wire.why:
                    break
                self._heard = True
                yield chunk
        except FOREIGN as exc:
            error = translate(exc, self._doing, streaming=True)
        if wire.why:
            error = (wire.error or StreamEnded)(f"{self._doing}: {wire.why}")
        # Out here, as in _do.
        raise error or StreamEnded(f"{self._doing}: the server ended it")

    @property
    def was_shut_down(self) -> bool:
        """Whether it was we who ended it."""
        return self._wire.why == _SHUT_DOWN

    def shutdown(self) -> None:
        """Wake the thread that reads; for other threads, which must not close()."""
        self._wire.cut(_SHUT_DOWN)

    def close(self) -> None:
        """Give everything back; for the thread that reads."""
        self._deadline.cancel()
        self._over.set()
        self._wire.close()
        if self._raw is not None:
            self._raw.close()
        self._http.close()
        self._closed(self._wire)


class Transport:
    """Requests to one server. Its methods may be called from any thread."""

    def __init__(self, base_url: str, headers: Headers, *, ca_file: str | None = None) -> None:
        self._base_url = base_url
        self._headers = headers
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._wires: set[Wire] = set()
        self._stopping = ""

    def abort(self) -> None:
        """End every request under way, and from now on every one but a farewell."""
        with self._lock:
            self._stopping = "this exporter stops"
            for wire in self._wires:
                wire.cut(self._stopping)

    def _begin(self, doing: str, *, deadline: float, silence: float, farewell: bool) -> Stream:
        """A requests session of its own for each request: whoever ends one ends no other."""
        if self._ca_file is not None:
            try:
                open(self._ca_file, "rb").close()
            except OSError as exc:
                raise Unavailable(f"{doing}: ca_file cannot be read: {exc.strerror}") from None
        wire = Wire()
        with self._lock:
            if self._stopping and not farewell:
                raise Unavailable(f"{doing}: {self._stopping}")
            self._wires.add(wire)
        http = Session(wire, self._headers, self._ca_file or True)
        return Stream(doing, http, wire, deadline=deadline, silence=silence, closed=self._forget)

    def _forget(self, wire: Wire) -> None:
        with self._lock:
            self._wires.discard(wire)

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
        """Send a request and give its answer once the headers are there.

        All of it takes at most ``deadline`` seconds, but for chunks(), where ``silence`` is how many seconds
        the body may pause. ``doing`` begins the text of every error.
        """
        silence = min(silence, LONGEST_SILENCE)
        stream = self._begin(doing, deadline=deadline, silence=silence, farewell=farewell)
        try:
            stream._send(
                method,
                self._base_url + path,
                json=body,
                params=query,
                headers=headers,
                timeout=(CONNECT_TIMEOUT, silence),
            )
        except BaseException:
            stream.close()
            raise
        return stream

    def call(self, doing: str, method: str, path: str, **options: Any) -> Answer:
        """Send a request as :meth:`open` does and give its whole answer; of a refusal, what can be had."""
        stream = self.open(doing, method, path, **options)
        try:
            body = stream.body() if stream.status < 300 else stream.head()
        finally:
            stream.close()
        return Answer(stream.status, stream.headers, body)
