"""Connections of slow, silent, invalid or too many clients: bounded, and no obstacle to others."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from pf_exporter.server.connection import MAX_HEADER_BYTES
from pf_exporter.server.server import Server
from tests.conftest import until
from tests.server.conftest import Serve, connected, connected_to, is_disconnected


def test_300_slow_loris(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """300 clients that never finish their request do not delay others, and are disconnected."""
    monkeypatch.setattr("pf_exporter.server.connection.REQUEST_TIMEOUT", 1.0)
    server = serve()
    before = threading.active_count()
    clients = [connected(server, b"GET /metrics HTTP/1.1\r\nX-A: ") for _ in range(300)]
    for client in clients[:100]:
        client.sendall(b"b")
    assert server.get()[::2] == (200, "hello")
    assert threading.active_count() <= before + 1
    for client in clients:
        with client:
            assert is_disconnected(client)
    assert server.get()[0] == 200


def test_sending_slowly_does_not_extend_the_deadline(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then does not buy time, on a new connection or on one used before."""
    monkeypatch.setattr("pf_exporter.server.connection.REQUEST_TIMEOUT", 0.6)
    server = serve()
    used = connected(server, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert used.recv(65536).startswith(b"HTTP/1.1 200")
    pause = threading.Event()
    for client in (connected(server, b"G"), used):
        with client, pytest.raises(ConnectionError):  # noqa: PT012  # any of the bytes may fail
            for _ in range(100):
                client.sendall(b"G")
                pause.wait(0.1)


def test_headers_are_bounded(serve: Serve) -> None:
    """Headers without an end get 400, and are not buffered."""
    server = serve()
    with connected(server, b"GET / HTTP/1.1\r\nX-A: ") as client:
        try:
            for _ in range(64):
                client.sendall(b"a" * 1024)
        except ConnectionError:
            pass  # The answer was sent before the connection was reset.
        assert client.recv(65536).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("size", [MAX_HEADER_BYTES + 1000, 200_000])
def test_headers_that_arrive_at_once_are_bounded(serve: Serve, size: int) -> None:
    """Headers above the limit are refused, even if they are complete when they are read; others are not."""
    server = serve()
    head = b"GET / HTTP/1.1\r\nHost: a\r\nX-A: "
    with connected(server, head + b"a" * size + b"\r\n\r\n") as client:
        assert re.match(rb"HTTP/1.1 (400|431) ", client.recv(65536))
        assert is_disconnected(client)
    with connected(server, head + b"a" * (MAX_HEADER_BYTES - 1000) + b"\r\n\r\n") as client:
        assert client.recv(65536).startswith(b"HTTP/1.1 200")


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    """An application whose response has no end."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        await asyncio.sleep(0)


def test_an_endless_response_that_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a limit of time for responses, a client that never reads is disconnected all the same."""
    monkeypatch.setattr("pf_exporter.server.connection.STALL_TIMEOUT", 0.3)
    with Server(endless, ["127.0.0.1:0"], name="web") as server:
        client = connected_to(server.addresses[0], b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: server.open_connections == 1, "a connection")
        until(lambda: server.open_connections == 0, "its end")
        client.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n\r\n",
        b"\0" * 100,
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",  # HTTP/1.1 requires a host.
        b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
    ],
)
def test_invalid_requests(serve: Serve, sent: bytes) -> None:
    """What is not HTTP gets 400 and the end of the connection; the server continues."""
    server = serve()
    with connected(server, sent) as client:
        client.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert server.get()[0] == 200


def test_an_unfinished_request(serve: Serve) -> None:
    """A client that leaves in the middle of its request gets nothing."""
    with connected(serve(), b"GET / HTTP/1.1\r\nHost") as client:
        client.shutdown(socket.SHUT_WR)
        assert client.recv(65536) == b""


def test_responses_are_not_delayed(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections send small segments at once, so that a body does not wait for an acknowledgment."""
    connect = asyncio.BaseEventLoop.connect_accepted_socket
    options = []

    async def record(
        loop: asyncio.BaseEventLoop, factory: Any, sock: socket.socket, **options_of_tls: Any
    ) -> Any:
        options.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        return await connect(loop, factory, sock, **options_of_tls)

    monkeypatch.setattr(asyncio.BaseEventLoop, "connect_accepted_socket", record)
    assert serve().get()[0] == 200
    assert options
    assert all(options)
