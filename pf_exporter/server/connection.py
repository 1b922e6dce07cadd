"""One client's connection: bounded in time and size, and subject to the client certificate rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from pf_exporter.log import Logger
from pf_exporter.server.connections import Connections, Slot

REQUEST_TIMEOUT = 10.0
"""Seconds from a request's first byte, or the connection's start, to the end of the headers."""
KEEP_ALIVE = 30
"""Seconds an idle connection is kept open for another request."""
STALL_TIMEOUT = 30.0
"""Seconds a client may take to read what is buffered for it, about 64 KiB."""
MAX_HEADER_BYTES = 16 * 1024
"""Bytes of a request's line and headers."""

log = Logger(__name__)


class Connection(H11Protocol):
    """HTTP/1.1 where every phase has a deadline, whether the client sends slowly or reads slowly.

    ``accepts_certificate`` decides on the client's certificate, in the form ``getpeercert()`` returns.
    ``response_timeout`` limits, in seconds, the time to create, send and read a response; None means no
    limit. The application finds in ``scope["state"]`` the functions ``disconnect``, which closes this
    connection, and ``drop_longest_stalled`` of ``connections``.
    """

    def __init__(
        self,
        config: Config,
        state: ServerState,
        loop: asyncio.AbstractEventLoop,
        *,
        slot: Slot,
        connections: Connections,
        accepts_certificate: Callable[[Any], bool],
        response_timeout: float | None,
    ) -> None:
        application_state = {
            "disconnect": self.abort,
            "drop_longest_stalled": connections.drop_longest_stalled,
        }
        super().__init__(config, state, application_state, loop)
        self._slot = slot
        self._accepts_certificate = accepts_certificate
        self._response_timeout = response_timeout
        self._is_idle = False
        self._timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    def abort(self) -> None:
        """Close the connection now; an orderly close waits for the client to read what is left."""
        self.transport.abort()

    def _set_deadline(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self.abort)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline of the first request; called after the TLS handshake, if there is one."""
        super().connection_made(transport)
        self._slot.disconnect = self.abort
        self._set_deadline(REQUEST_TIMEOUT)
        if not self._accepts_certificate(transport.get_extra_info("peercert")):
            log.warning_throttled("certificate", "client certificate refused: none of its names is allowed")
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the deadlines, whichever side closed the connection."""
        self._slot.release()
        self._set_deadline(None)
        self._end_stall()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Start the deadline at the first byte of another request; later bytes do not extend it."""
        if self._is_idle:
            self._is_idle = False
            self._set_deadline(REQUEST_TIMEOUT)
        super().data_received(data)

    def handle_events(self) -> None:
        """Parse the received bytes; a complete request starts the deadline of its response."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._is_idle = False
            self._slot.work()
            self._set_deadline(self._response_timeout)

    def on_response_complete(self) -> None:
        """Start the idle deadline; it also bounds how long the client may take to read the rest."""
        self._is_idle = True
        self._slot.wait()
        self._set_deadline(KEEP_ALIVE + REQUEST_TIMEOUT)
        super().on_response_complete()

    def _end_stall(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def pause_writing(self) -> None:
        """Start the deadline for reading what is buffered: a response without an end has no other."""
        self._slot.wait(stalled=True)
        self._stall_timer = self.loop.call_later(STALL_TIMEOUT, self.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        """Cancel the deadline: the client has read."""
        self._end_stall()
        if not self._is_idle:
            self._slot.work()
        super().resume_writing()
