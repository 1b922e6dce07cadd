"""One client's connection: bounded in time and size, and open only to whom the policy lets in."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from pf_exporter.log import Logger

HANDSHAKE_WITHIN = 10.0
"""Seconds for TLS to be agreed upon."""
ASK_WITHIN = 10.0
"""Seconds from the first byte of a request, or from the connection's beginning, to the end of its headers."""
IDLE = 30
"""Seconds an idle connection is kept open for another request."""
HEADERS_LIMIT = 16 * 1024
"""Bytes of a request's line and headers."""
CONNECTIONS_LIMIT = 400
"""Most connections on one address; any above it is closed at once."""

log = Logger(__name__)


class Connection(H11Protocol):
    """HTTP/1.1 that always has a deadline: who misses it is cut off, be it slow to ask or to read.

    ``admits`` is asked about the client's certificate, as ``getpeercert()`` gives it; ``answer_within`` are
    the seconds for a whole answer to be made and read, or None for a server whose answers never end.
    """

    def __init__(
        self,
        config: Config,
        state: ServerState,
        loop: asyncio.AbstractEventLoop,
        *,
        admits: Callable[[Any], bool],
        answer_within: float | None,
    ) -> None:
        super().__init__(config, state, {}, loop)
        self._admits = admits
        self._answer_within = answer_within
        self._is_idle = False
        self._timer: asyncio.TimerHandle | None = None

    def _deadline(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        # abort(), since close() would wait for the client to read what is left.
        self._timer = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """TCP or, where there is TLS, the handshake is done."""
        super().connection_made(transport)
        self._deadline(ASK_WITHIN)
        if not self._admits(transport.get_extra_info("peercert")):
            log.warning_throttled(
                "certificate", "client's certificate has none of the names that are allowed"
            )
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over, whoever ended it."""
        self._deadline(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes came. They give no more time, but the first of a further request start its clock."""
        if self._is_idle:
            self._is_idle = False
            self._deadline(ASK_WITHIN)
        super().data_received(data)

    def handle_events(self) -> None:
        """See what the bytes so far say; if they complete a request, the clock of its answer starts."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._is_idle = False
            self._deadline(self._answer_within)

    def on_response_complete(self) -> None:
        """The answer has been handed over; what the client has not read of it by the deadline is dropped."""
        self._is_idle = True
        self._deadline(IDLE + ASK_WITHIN)
        super().on_response_complete()


class LimitedSocket(socket.socket):
    """A listening socket that closes what it accepts while too many of its connections are open."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock.family, sock.type, sock.proto, fileno=sock.detach())
        self._accepted: set[socket.socket] = set()

    def accept(self) -> tuple[socket.socket, Any]:
        """The next connection; ConnectionAbortedError if there is no room for it."""
        sock, address = super().accept()
        if len(self._accepted) >= CONNECTIONS_LIMIT:
            self._accepted = {one for one in self._accepted if one.fileno() >= 0}
        if len(self._accepted) >= CONNECTIONS_LIMIT:
            sock.close()
            log.warning_throttled("full", "connection refused: too many are open", limit=CONNECTIONS_LIMIT)
            raise ConnectionAbortedError
        self._accepted.add(sock)
        return sock, address
