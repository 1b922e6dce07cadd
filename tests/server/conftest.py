"""What the tests of the web surface stand on: an authority, and a server with a web configuration file."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from types import MappingProxyType
from typing import Any

import bcrypt
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from pf_exporter.config.settings import WebSettings
from pf_exporter.server.middleware import guard
from pf_exporter.server.reloader import WebConfigReloader
from pf_exporter.server.server import Server
from tests.server.authority import Authority


def hashed(password: str, cost: int = 4) -> str:
    """A bcrypt hash, of the lowest cost there is: tests need not be slow."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()


class Site:
    """A page that says ``hello``, behind a web configuration file that a test writes and rewrites."""

    def __init__(
        self, folder: Path, text: str, app: ASGIApp, *, host: str, answer_within: float, settings: WebSettings
    ) -> None:
        self.file = folder / "web.yml"
        self.file.write_text(text)
        self.policy = WebConfigReloader(str(self.file))
        app = guard(app, self.policy, settings)
        self.server = Server(app, [f"{host}:0"], name="web", policy=self.policy, answer_within=answer_within)
        self.address = self.server.addresses[0]
        self.server.start()

    def connection(self, context: ssl.SSLContext | None = None) -> HTTPConnection:
        """A connection of one's own, with TLS if there is a context."""
        if context is None:
            return HTTPConnection(self.address, timeout=10)
        return HTTPSConnection(self.address, timeout=10, context=context)

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
            answer = connection.getresponse()
            body = answer.read().decode()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body
        finally:
            connection.close()


def is_cut_off(sock: socket.socket) -> bool:
    """Whether the server ends the connection, in good order or not, before the socket's time-out."""
    try:
        while sock.recv(65536):
            pass
    except ConnectionError:
        pass
    return True


Serve = Callable[..., Site]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts a site: ``serve(text of the web configuration, app=…, host=…, **settings of the web)``."""
    sites: list[Site] = []

    def start(
        text: str = "",
        app: ASGIApp | None = None,
        host: str = "127.0.0.1",
        answer_within: float = 30.0,
        **settings: Any,
    ) -> Site:
        page = app or PlainTextResponse("hello")
        web = WebSettings(**settings)
        sites.append(Site(tmp_path, text, page, host=host, answer_within=answer_within, settings=web))
        return sites[-1]

    yield start
    for site in sites:
        site.server.stop()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)
