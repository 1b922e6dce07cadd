"""Fixtures for the server: a certificate authority, and a server with a web configuration file."""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from types import MappingProxyType
from typing import Any

import bcrypt
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pf_exporter.metrics.reload_status import web_config_reload_status
from pf_exporter.server.middleware import guard
from pf_exporter.server.reloader import WebConfigReloader
from pf_exporter.server.server import Server
from tests.conftest import PATIENCE
from tests.server.authority import Authority


def hashed(password: str, cost: int = 4) -> str:
    """A bcrypt hash, by default of the lowest cost, to keep tests fast."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()


class WebServer:
    """A server that answers ``hello``, with a web configuration file that a test writes and rewrites."""

    def __init__(
        self,
        folder: Path,
        text: str,
        app: ASGIApp,
        *,
        host: str,
        response_timeout: float,
        **guard_options: Any,
    ) -> None:
        self.file = folder / "web.yml"
        self.file.write_text(text)
        self.status = web_config_reload_status()
        self.reloader = WebConfigReloader(str(self.file), self.status)
        self.server = Server(
            guard(app, self.reloader, **guard_options),
            [f"{host}:0"],
            name="web",
            reloader=self.reloader,
            response_timeout=response_timeout,
        )
        self.address = self.server.addresses[0]
        self.server.start()

    def connection(self, context: ssl.SSLContext | None = None) -> HTTPConnection:
        """A new connection, over TLS if a context is given."""
        if context is None:
            return HTTPConnection(self.address, timeout=PATIENCE)
        return HTTPSConnection(self.address, timeout=PATIENCE, context=context)

    def get(
        self,
        path: str = "/metrics",
        context: ssl.SSLContext | None = None,
        *,
        method: str = "GET",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers (lower case) and body."""
        connection = self.connection(context)
        try:
            connection.request(method, path, headers=dict(headers))
            response = connection.getresponse()
            body = response.read().decode()
            return response.status, {name.lower(): value for name, value in response.getheaders()}, body
        finally:
            connection.close()


def connected(server: WebServer, sent: bytes = b"") -> socket.socket:
    """A plain TCP connection on which some bytes were sent."""
    return connected_to(server.address, sent)


def connected_to(address: str, sent: bytes = b"") -> socket.socket:
    """A plain TCP connection to an address on which some bytes were sent."""
    host, port = address.rsplit(":", 1)
    sock = socket.create_connection((host, int(port)), timeout=PATIENCE)
    sock.sendall(sent)
    return sock


def is_served(sock: socket.socket, sent: bytes = b"") -> bool:
    """Whether the page ``hello`` arrives, after some bytes were sent."""
    sock.sendall(sent)
    received = b""
    while not received.endswith(b"hello") and (data := sock.recv(65536)):
        received += data
    return received.startswith(b"HTTP/1.1 200 ") and received.endswith(b"\r\n\r\nhello")


def is_disconnected(sock: socket.socket) -> bool:
    """Whether the server closes or resets the connection before the socket's timeout."""
    try:
        while sock.recv(65536):
            pass
    except ConnectionError:
        return True
    except TimeoutError:
        return False
    return True


class Timers:
    """The timers of all event loops by their delays, which tests make unique; a test can end them early."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._started: list[tuple[float, asyncio.TimerHandle, Callable[[], object]]] = []
        call_later = asyncio.BaseEventLoop.call_later

        def record(
            loop: asyncio.BaseEventLoop, delay: float, callback: Callable[..., object], *arguments: Any
        ) -> asyncio.TimerHandle:
            handle = call_later(loop, delay, callback, *arguments)
            end = functools.partial(loop.call_soon_threadsafe, callback, *arguments)
            self._started.append((delay, handle, end))
            return handle

        patch.setattr(asyncio.BaseEventLoop, "call_later", record)

    def started(self, delay: float) -> int:
        """The number of timers that were started with a delay."""
        return sum(delay == each for each, _, _ in self._started)

    def active(self, *delays: float) -> list[float]:
        """Those of the delays whose timers are not cancelled."""
        return [delay for delay, handle, _ in self._started if delay in delays and not handle.cancelled()]

    def end(self, delay: float) -> None:
        """Let the timers with a delay end now, unless they are cancelled."""
        for each, handle, end in self._started:
            if each == delay and not handle.cancelled():
                end()


class SlowPage:
    """An application that answers when ``release`` is set, and counts active requests."""

    def __init__(self) -> None:
        self.active = 0
        self.release = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.active += 1
        await asyncio.get_running_loop().run_in_executor(None, self.release.wait, PATIENCE)
        self.active -= 1
        await PlainTextResponse("hello")(scope, receive, send)


Serve = Callable[..., WebServer]


@pytest.fixture
def timers(monkeypatch: pytest.MonkeyPatch) -> Timers:
    return Timers(monkeypatch)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a server: ``serve(text of the web configuration file, app=…, host=…, **options of guard)``."""
    servers: list[WebServer] = []

    def start(
        text: str = "",
        app: ASGIApp | None = None,
        host: str = "127.0.0.1",
        response_timeout: float = 30.0,
        **guard_options: Any,
    ) -> WebServer:
        page = app or PlainTextResponse("hello")
        servers.append(
            WebServer(tmp_path, text, page, host=host, response_timeout=response_timeout, **guard_options)
        )
        return servers[-1]

    yield start
    for server in servers:
        server.server.stop()


@pytest.fixture
def slow_page() -> Iterator[SlowPage]:
    page = SlowPage()
    yield page
    page.release.set()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)
