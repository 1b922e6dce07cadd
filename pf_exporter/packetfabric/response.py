"""Responses: one read whole, one streamed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

from pf_exporter.errors import ExporterError, Rejected, StreamEnded, StreamIdle, Unavailable
from pf_exporter.packetfabric.abort import CLOSED, Abort
from pf_exporter.packetfabric.chunked import read_chunks
from pf_exporter.packetfabric.connection import AbortableConnection, HttpSession
from pf_exporter.packetfabric.request import Request
from pf_exporter.packetfabric.transport_errors import FOREIGN, IDLE_MESSAGE, stream_error, unavailable

MAX_BODY_BYTES = 32 << 20
"""Bytes of one body, after decompression; 5,000 ports are about 5 MB."""
_CHUNK_BYTES = 65_536
_WATCH_STEPS = 4
"""How often the watchdog of a stream looks at it within ``read_timeout``."""

_SHUTDOWN = Abort("ended by this exporter")
_IDLE = Abort(IDLE_MESSAGE, StreamIdle)

T = TypeVar("T")


class StreamingResponse:
    """A request and its response, for one thread; other threads may call :meth:`shutdown`."""

    def __init__(
        self,
        request: Request,
        server: str,
        http: HttpSession,
        connection: AbortableConnection,
        *,
        closed: Callable[[AbortableConnection], None],
    ) -> None:
        self._request = request
        self._server = server
        self._subject = f"{request.operation}: {server}"
        self._http = http
        self._connection = connection
        self._closed = closed
        self._raw: Any = None
        self._received = False
        """Whether a chunk came since the watchdog last looked."""
        self._waits = False
        """Whether the thread that reads waits for a chunk; while it is busy, silence is not the server's."""
        self._chunks: Iterator[bytes] | None = None
        self._over = threading.Event()
        # The timeouts of requests start again with each byte.
        abort = Abort(f"no complete response within {request.deadline:g} seconds")
        self._deadline = threading.Timer(request.deadline, connection.abort, (abort,))
        self._deadline.daemon = True
        self._deadline.start()

    def send(self, base_url: str) -> None:
        """Send the request, and return when the headers of the response are there."""
        request = self._request

        def send() -> None:
            # Kept even if the connection was aborted meanwhile: close() has to close it.
            self._raw = self._http.request(
                request.method,
                base_url + request.path,
                headers=request.headers,
                json=request.body,
                params=request.query,
                timeout=request.timeouts,
                allow_redirects=False,
                stream=True,
            ).raw

        self._translated(send)

    def _translated(self, work: Callable[[], T]) -> T:
        """Call ``work`` and translate what it raises; if the connection was aborted, only that counts."""
        error: ExporterError | None = None
        try:
            result = work()
        except FOREIGN as exc:
            error = unavailable(exc, self._request.operation, self._server)
        aborted = self._connection.aborted
        if aborted is not None:
            error = Unavailable(f"{self._subject}: {aborted.message}")
        if error is not None:
            # Raised outside of the except block, so that it does not refer to the foreign exception: neither
            # to its text, which may quote the token, nor to its frames, which keep sockets open.
            raise error
        return result

    @property
    def status(self) -> int:
        """The HTTP status."""
        return int(self._raw.status)

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the response, by name in any case."""
        headers: Mapping[str, str] = self._raw.headers
        return headers

    def error_body(self) -> bytes:
        """Return the start of the body of an error response; empty if it cannot be read."""
        try:
            return self._read(_CHUNK_BYTES)
        except ExporterError:
            return b""

    def body(self) -> bytes:
        """Return the whole body."""
        body = self._read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            limit = MAX_BODY_BYTES >> 20
            raise Rejected(f"{self._subject}: the response is larger than {limit} MiB")
        return body

    def _read(self, limit: int) -> bytes:
        return bytes(self._translated(lambda: self._raw.read(limit, decode_content=True)))

    def _watch(self) -> None:
        # The timeout of a socket starts again with each byte, also with the bytes of endless chunk framing.
        # In steps: if the whole process was stopped, what has arrived meanwhile is read before the next step.
        _, read_timeout = self._request.timeouts
        silent_steps = 0
        while not self._over.wait(read_timeout / _WATCH_STEPS):
            silent_steps = 0 if self._received or not self._waits else silent_steps + 1
            self._received = False
            if silent_steps > _WATCH_STEPS:
                self._connection.abort(_IDLE)

    def _raw_chunks(self) -> Iterator[bytes]:
        body = self._connection.response
        if body is not None and body.chunked and body.fp is not None:
            return read_chunks(body.fp, _CHUNK_BYTES)
        # Only read1 returns what has arrived without waiting for more.
        return iter(partial(self._raw.read1, _CHUNK_BYTES, decode_content=False), b"")

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes of the body as they arrive, without a deadline.

        Always ends with a :class:`StreamError`: :class:`StreamIdle` if no byte came for ``read_timeout``
        seconds, or for up to 1.25 times that if only chunk framing came. After :meth:`shutdown` it ends with
        the last byte that had arrived.
        """
        self._deadline.cancel()
        if self._chunks is None:
            self._chunks = self._raw_chunks()
            threading.Thread(target=self._watch, name="stream watchdog", daemon=True).start()
        subject, connection = self._subject, self._connection
        error: ExporterError | None = None
        try:
            self._waits = True
            for chunk in self._chunks:
                self._waits = False
                aborted = connection.aborted
                if aborted is not None and aborted is not _SHUTDOWN:
                    break
                self._received = True
                yield chunk
                self._waits = True
        except FOREIGN as exc:
            error = stream_error(exc, subject)
        aborted = connection.aborted
        if aborted is not None:
            error = aborted.stream_error(f"{subject}: {aborted.message}")
        # Raised outside of the except block for the same reason as in _translated.
        raise error or StreamEnded(f"{subject}: the server ended the stream")

    @property
    def was_shut_down(self) -> bool:
        """Whether :meth:`shutdown` ended it."""
        return self._connection.aborted is _SHUTDOWN

    def shutdown(self) -> None:
        """Wake the thread that reads; for other threads, which must not call :meth:`close`."""
        self._connection.abort(_SHUTDOWN)

    def end_reading(self) -> None:
        """Wake another thread that reads for good, before :meth:`close`."""
        self._connection.abort(CLOSED)

    def close(self) -> None:
        """Free everything; only the thread that reads may call this."""
        self._deadline.cancel()
        self._over.set()
        self._connection.close()
        if self._raw is not None:
            self._raw.close()
        self._closed(self._connection)
