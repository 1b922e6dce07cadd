"""Serves one ASGI application on uvicorn, in a thread of its own."""

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

from pf_exporter.errors import CannotListen, ConfigError
from pf_exporter.server.connection import HANDSHAKE_WITHIN, HEADERS_LIMIT, IDLE, Connection, LimitedSocket
from pf_exporter.server.reloader import WebConfigReloader
from pf_exporter.server.tls import ReloadableSSLContext, is_allowed

BACKLOG = 128
"""Connections that wait to be accepted."""


def bind(address: str) -> socket.socket:
    """A listening socket on ``[HOST]:PORT``; no host means every interface, IPv6 and IPv4.

    Raises :class:`CannotListen` when the address cannot be had.
    """
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdigit():
        raise ConfigError([f"listen address {address!r}: write HOST:PORT, [IPV6]:PORT or :PORT"])
    dual = not host and socket.has_dualstack_ipv6()
    host = host.strip("[]") or ("::" if dual else "0.0.0.0")  # all interfaces, as exporters do
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        sock = socket.create_server((host, int(port)), family=family, backlog=BACKLOG, dualstack_ipv6=dual)
    except (OSError, OverflowError) as exc:
        # create_server adds to the error's text what stands here already.
        number: int = getattr(exc, "errno", None) or 0  # a name that does not resolve has a negative one
        why = os.strerror(number) if number > 0 else exc
        raise CannotListen([f"cannot listen on {address!r}: {why}; choose another address"]) from exc
    return LimitedSocket(sock)


class _Uvicorn(uvicorn.Server):
    def __init__(
        self, config: uvicorn.Config, policy: WebConfigReloader, answer_within: float | None
    ) -> None:
        super().__init__(config)
        self._policy = policy
        self._answer_within = answer_within

    def _admits(self, certificate: Any) -> bool:
        tls = self._policy.config().tls if self._policy.has_tls else None
        return tls is None or is_allowed(certificate, tls.allowed_sans)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does, with connections, time limits and TLS of our own."""
        await self.lifespan.startup()
        loop = asyncio.get_running_loop()

        def connection() -> Connection:
            return Connection(
                self.config, self.server_state, loop, admits=self._admits, answer_within=self._answer_within
            )

        has_tls = self._policy.has_tls
        self.servers = [
            await loop.create_server(
                connection,
                sock=sock,
                backlog=BACKLOG,
                ssl=ReloadableSSLContext.to(self._policy.context) if has_tls else None,
                ssl_handshake_timeout=HANDSHAKE_WITHIN if has_tls else None,
            )
            for sock in sockets or []
        ]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does, and then an end to who has not gone by then, such as clients that never read."""
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # the abort takes effect in the loop's next round


class Server:
    """An application, listening from the moment it is made and answering from :meth:`start` on.

    ``died`` is called if the thread ends without having been told to. ``policy`` brings TLS; a client that
    has not read its whole answer after ``answer_within`` seconds, if they are given, is cut off.
    """

    def __init__(
        self,
        app: ASGIApp,
        addresses: Sequence[str],
        *,
        name: str,
        died: Callable[[], None] = lambda: None,
        policy: WebConfigReloader | None = None,
        answer_within: float | None = None,
    ) -> None:
        self._died = died
        self._stopping = False
        self._sockets: list[socket.socket] = []
        try:
            self._sockets += (bind(address) for address in addresses)
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
                timeout_keep_alive=IDLE,
                timeout_graceful_shutdown=1,
                h11_max_incomplete_event_size=HEADERS_LIMIT,
            ),
            policy or WebConfigReloader(),
            answer_within,
        )
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def addresses(self) -> tuple[str, ...]:
        """``HOST:PORT`` of every socket, with the real port where 0 was asked for."""
        names = (sock.getsockname()[:2] for sock in self._sockets)
        return tuple(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in names)

    def _run(self) -> None:
        try:
            self._uvicorn.run(sockets=self._sockets)
        finally:
            if not self._stopping:
                self._died()

    def _close_sockets(self) -> None:
        for sock in self._sockets:
            sock.close()

    def start(self) -> None:
        """Begin to answer; connections made since the sockets were bound are waiting already."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the requests under way (a second at most) and close every socket."""
        self._stopping = True
        self._uvicorn.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(timeout=3)
        self._close_sockets()

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
