"""Accepts the connections of one listening socket."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import ssl
from typing import Protocol

from pf_exporter.log import Logger
from pf_exporter.server.connections import Connections, Slot

BATCH = 16
"""Connections that are accepted before the event loop does something else."""
PAUSE = 0.1
"""Seconds until the next attempt after the system could not accept a connection."""
HANDSHAKE_TIMEOUT = 10.0
"""Seconds for the TLS handshake."""

log = Logger(__name__)


class ProtocolFactory(Protocol):
    """Creates the protocol of a connection."""

    def __call__(self, slot: Slot) -> asyncio.Protocol:
        """The protocol; it releases the slot when its connection is lost."""


class Listener:
    """Accepts connections while there is room for them, and makes room.

    asyncio's own server neither limits connections nor waits when the system has no descriptor left: it logs
    each of its attempts. ``context`` is for TLS.
    """

    def __init__(
        self,
        sock: socket.socket,
        connections: Connections,
        create_protocol: ProtocolFactory,
        context: ssl.SSLContext | None,
    ) -> None:
        self._sock = sock
        self._connections = connections
        self._create_protocol = create_protocol
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._handshakes: set[asyncio.Task[None]] = set()
        self._retry: asyncio.TimerHandle | None = None
        sock.setblocking(False)
        self._start()

    def _start(self) -> None:
        self._retry = None
        self._loop.add_reader(self._sock, self._accept)

    def _accept(self) -> None:
        for _ in range(BATCH):
            try:
                sock, address = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as exc:
                self._pause(exc)
                return
            slot = self._connections.admit(address[0], functools.partial(_shut_down, sock))
            if slot is None:
                sock.close()
                continue
            task = self._loop.create_task(self._connect(sock, slot))
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)

    def _pause(self, exc: OSError) -> None:
        """Close connections, because no descriptor or memory is left, and accept again a little later."""
        self._loop.remove_reader(self._sock)
        self._retry = self._loop.call_later(PAUSE, self._start)
        self._connections.drop_share()
        log.warning_throttled("accept", "cannot accept connections", error=exc.strerror or exc)

    async def _connect(self, sock: socket.socket, slot: Slot) -> None:
        """Finish the TLS handshake, if there is one, and create the protocol."""
        try:
            # asyncio does it only for sockets made with a protocol number. Without it, the body of a response
            # on a used connection waits for the acknowledgment of the headers, 40 ms on Linux.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            await self._loop.connect_accepted_socket(
                functools.partial(self._create_protocol, slot),
                sock,
                ssl=self._context,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT if self._context is not None else None,
            )
        except OSError:  # Also a handshake that failed or was late; the transport is closed.
            slot.release()

    def close(self) -> None:
        """Accept no more, and end the handshakes in progress."""
        if self._retry is not None:
            self._retry.cancel()
        self._loop.remove_reader(self._sock)
        for task in self._handshakes:
            task.cancel()


def _shut_down(sock: socket.socket) -> None:
    """End a connection whose transport may not exist yet: a current or later reader sees its end."""
    with contextlib.suppress(OSError):  # Its client was first.
        sock.shutdown(socket.SHUT_RDWR)
