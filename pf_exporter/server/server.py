"""The server: one ASGI application on uvicorn, on its own thread."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from pf_exporter.config import ADDRESS
from pf_exporter.errors import CannotListen, ConfigError
from pf_exporter.server.connection import KEEP_ALIVE, MAX_HEADER_BYTES, Connection
from pf_exporter.server.connections import Connections, Slot
from pf_exporter.server.listener import Listener
from pf_exporter.server.reloader import WebConfigReloader
from pf_exporter.server.socket_activation import activated_sockets
from pf_exporter.server.tls import ReloadableSSLContext, is_allowed
from pf_exporter.server.uvicorn_log import throttled

BACKLOG = 1024
"""Connections that wait to be accepted."""
GRACE = 1
"""Seconds for active requests at shutdown."""
STOP_TIMEOUT = 3.0
"""Seconds until a stop continues without the server's thread."""


def bind(address: str) -> socket.socket:
    """A listening socket on ``[HOST]:PORT``; without a host, on every IPv6 and IPv4 interface.

    Raises :class:`ConfigError` if it is no address, and :class:`CannotListen` if it is not available.
    """
    try:
        host, _, port = ADDRESS.parse(address).rpartition(":")
    except ValueError as exc:
        raise ConfigError([f"listen address {address!r}: {exc}"]) from None
    dual = not host and socket.has_dualstack_ipv6()
    host = host.strip("[]") or ("::" if dual else "0.0.0.0")  # all interfaces, as exporters do
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family, backlog=BACKLOG, dualstack_ipv6=dual)
    except OSError as exc:
        # Only the text of a name that does not resolve is usable: others repeat the address.
        reason = exc if exc.errno is None or isinstance(exc, socket.gaierror) else os.strerror(exc.errno)
        raise CannotListen(
            [f"cannot listen on {address!r}: {reason}; choose another --web.listen-address"]
        ) from exc


class _Uvicorn(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        reloader: WebConfigReloader,
        response_timeout: float | None,
        tick: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._reloader = reloader
        self._response_timeout = response_timeout
        self._tick = tick
        self._connections = Connections()
        self._listeners: list[Listener] = []
        self.servers = []  # The listeners take the place of asyncio's servers.

    def _accepts_certificate(self, certificate: Any) -> bool:
        tls = self._reloader.config().tls if self._reloader.has_tls else None
        return tls is None or is_allowed(certificate, tls.allowed_sans)

    def _create_connection(self, slot: Slot) -> Connection:
        return Connection(
            self.config,
            self.server_state,
            asyncio.get_running_loop(),
            slot=slot,
            connections=self._connections,
            accepts_certificate=self._accepts_certificate,
            response_timeout=self._response_timeout,
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen as uvicorn does, with this package's connections, limits, deadlines and TLS."""
        await self.lifespan.startup()
        has_tls = self._reloader.has_tls
        context = ReloadableSSLContext.delegating_to(self._reloader.context) if has_tls else None
        self._listeners = [
            Listener(sock, self._connections, self._create_connection, context) for sock in sockets or []
        ]
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second, by uvicorn; calls ``tick`` once a second."""
        if counter % 10 == 0:
            self._tick()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Shut down as uvicorn does, without waiting for clients that do not read."""
        for listener in self._listeners:
            listener.close()
        self._connections.drop_stalled()
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()


class Server:
    """An application that listens as soon as it is constructed, and answers from :meth:`start` on.

    ``on_failure`` is called if the thread ends before :meth:`stop`. ``reloader`` provides TLS. A client that
    has not read its response after ``response_timeout`` seconds is disconnected; None sets no limit.
    With ``systemd_socket`` it listens on the sockets that systemd passes instead of ``addresses``.
    ``tick`` is called once a second on the event loop.
    """

    def __init__(
        self,
        app: ASGIApp,
        addresses: Sequence[str],
        *,
        name: str,
        on_failure: Callable[[], None] = lambda: None,
        reloader: WebConfigReloader | None = None,
        response_timeout: float | None = None,
        systemd_socket: bool = False,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_failure = on_failure
        self._reloader = reloader = reloader or WebConfigReloader()
        self._stopping = False
        self._sockets: list[socket.socket] = []
        try:
            if systemd_socket:
                self._sockets = activated_sockets(os.environ)
            else:
                for address in addresses:
                    self._sockets.append(bind(address))
        except ConfigError:
            self._close_sockets()
            raise
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                ws="none",
                lifespan="off",
                proxy_headers=False,
                loop="asyncio",
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=GRACE,
                h11_max_incomplete_event_size=MAX_HEADER_BYTES,
            ),
            reloader,
            response_timeout,
            tick,
        )
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def addresses(self) -> tuple[str, ...]:
        """``HOST:PORT`` of every socket, with the real port where the configured one is 0."""
        names = (sock.getsockname()[:2] for sock in self._sockets)
        return tuple(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in names)

    @property
    def has_tls(self) -> bool:
        """Whether it serves HTTPS."""
        return self._reloader.has_tls

    @property
    def open_connections(self) -> int:
        """Connections that are open now."""
        return len(self._uvicorn.server_state.connections)

    def _run(self) -> None:
        try:
            with throttled():
                self._uvicorn.run(sockets=self._sockets)
        finally:
            if not self._stopping:
                self._on_failure()

    def _close_sockets(self) -> None:
        for sock in self._sockets:
            sock.close()

    def start(self) -> None:
        """Start to answer; clients may have connected since the constructor bound the sockets."""
        self._thread.start()

    def stop(self) -> None:
        """Finish active requests, within :data:`GRACE`, and close every socket."""
        self._stopping = True
        self._uvicorn.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(STOP_TIMEOUT)
        self._close_sockets()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
