"""Serves one ASGI application on uvicorn, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from types import TracebackType

import uvicorn
from starlette.types import ASGIApp

from pf_exporter.errors import ConfigError


def bind(address: str) -> socket.socket:
    """A listening socket on ``[HOST]:PORT``; no host means every interface, IPv6 and IPv4.

    Raises :class:`ConfigError` when the address cannot be had.
    """
    host, separator, port = address.rpartition(":")
    if not separator or not port.isdigit():
        raise ConfigError([f"listen address {address!r}: write HOST:PORT, [IPV6]:PORT or :PORT"])
    dual = not host and socket.has_dualstack_ipv6()
    host = host.strip("[]") or ("::" if dual else "0.0.0.0")  # all interfaces, as exporters do
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        sock = socket.create_server((host, int(port)), family=family, backlog=128, dualstack_ipv6=dual)
    except (OSError, OverflowError) as exc:
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else exc
        raise ConfigError([f"cannot listen on {address!r}: {why}; choose another address"]) from exc
    return sock


class _Uvicorn(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does, and then an end to who has not gone by then, such as clients that never read."""
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # the abort takes effect in the loop's next round


class Server:
    """An application, listening from the moment it is made and answering from :meth:`start` on.

    ``died`` is called if the thread ends without having been told to.
    """

    def __init__(
        self,
        app: ASGIApp,
        addresses: Sequence[str],
        *,
        name: str,
        died: Callable[[], None] = lambda: None,
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
                timeout_keep_alive=30,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def addresses(self) -> tuple[str, ...]:
        """``HOST:PORT`` of every socket, with the real port where 0 was asked for."""
        names = (sock.getsockname()[:2] for sock in self._sockets)
        return tuple(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in names)

    @property
    def alive(self) -> bool:
        """Whether the thread still serves."""
        return self._thread.is_alive()

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
