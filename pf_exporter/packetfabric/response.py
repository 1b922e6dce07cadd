"""Responses: one read whole, one streamed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from pf_exporter.errors import ExporterError, Rejected, StreamEnded, StreamIdle, Unavailable
from pf_exporter.packetfabric.connection import AbortableConnection, HttpSession
from pf_exporter.packetfabric.transport_errors import FOREIGN, translate

BODY_LIMIT = 32 << 20
"""Bytes of one answer, after decompression; 5,000 ports are about 5 MB."""
_CHUNK = 1 << 16
_SHUT_DOWN = "ended by this exporter"

T = TypeVar("T")


class Response(NamedTuple):
    """A whole answer to a request."""

    status: int
    headers: Mapping[str, str]
    """By name in any case."""
    body: bytes


class StreamingResponse:
    """A request and its answer: for one thread, but that any other may end it."""

    def __init__(
        self,
        operation: str,
        http: HttpSession,
        wire: AbortableConnection,
        *,
        deadline: float,
        read_timeout: float,
        closed: Callable[[AbortableConnection], None],
    ) -> None:
        self._doing = operation
        self._http = http
        self._wire = wire
        self._closed = closed
        self._raw: Any = None
        self._read_timeout = read_timeout
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
        while not self._over.wait(self._read_timeout):
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
