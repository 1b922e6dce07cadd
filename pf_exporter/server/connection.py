"""One client's connection: bounded in time and size, and subject to the client certificate rules."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from pf_exporter.log import Logger

HANDSHAKE_TIMEOUT = 10.0
"""Seconds for the TLS handshake."""
REQUEST_TIMEOUT = 10.0
"""Seconds from a request's first byte, or the connection's start, to the end of the headers."""
KEEP_ALIVE = 30
"""Seconds an idle connection is kept open for another request."""
MAX_HEADER_BYTES = 16 * 1024
"""Bytes of a request's line and headers."""
MAX_CONNECTIONS = 400
"""Open connections of one listening socket; more are closed at once."""

log = Logger(__name__)


class Connection(H11Protocol):
    """HTTP/1.1 where every phase has a deadline, whether the client sends slowly or reads slowly.

    ``accepts_certificate`` decides on the client's certificate, in the form ``getpeercert()`` returns.
    ``response_timeout`` bounds, in seconds, the time to create, send and read a response; None does not.
    """

    def __init__(
        self,
        config: Config,
        state: ServerState,
        loop: asyncio.AbstractEventLoop,
        *,
        accepts_certificate: Callable[[Any], bool],
        response_timeout: float | None,
    ) -> None:
        super().__init__(config, state, {}, loop)
        self._accepts_certificate = accepts_certificate
        self._response_timeout = response_timeout
        self._is_idle = False
        self._timer: asyncio.TimerHandle | None = None

    def _set_deadline(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # abort(), because close() waits for the client to read what is left.
        self._timer = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline of the first request; called after the TLS handshake, if there is one."""
        super().connection_made(transport)
        self._set_deadline(REQUEST_TIMEOUT)
        if not self._accepts_certificate(transport.get_extra_info("peercert")):
            log.warning_throttled("certificate", "client certificate refused: none of its names is allowed")
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadline, whichever side closed the connection."""
        self._set_deadline(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Start the deadline at the first byte of another request; later bytes do not extend it."""
        if self._is_idle:
            self._is_idle = False
            self._set_deadline(REQUEST_TIMEOUT)
        super().data_received(data)

    def handle_events(self) -> None:
        """Parse what has arrived; a complete request starts the deadline of its response."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._is_idle = False
            self._set_deadline(self._response_timeout)

    def on_response_complete(self) -> None:
        """Start the idle deadline; it also bounds how long the client may take to read the rest."""
        self._is_idle = True
        self._set_deadline(KEEP_ALIVE + REQUEST_TIMEOUT)
        super().on_response_complete()


class LimitedSocket(socket.socket):
    """A listening socket that closes new connections while too many of its connections are open."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock.family, sock.type, sock.proto, fileno=sock.detach())
        self._accepted: set[socket.socket] = set()

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection; ConnectionAbortedError if there are too many."""
        sock, address = super().accept()
        if len(self._accepted) >= MAX_CONNECTIONS:
            self._accepted = {accepted for accepted in self._accepted if accepted.fileno() >= 0}
        if len(self._accepted) >= MAX_CONNECTIONS:
            sock.close()
            log.warning_throttled("full", "connection refused: too many are open", limit=MAX_CONNECTIONS)
            raise ConnectionAbortedError
        self._accepted.add(sock)
        return sock, address
