"""Connections of slow, silent, invalid or too many clients: bounded, and no obstacle to others."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from pf_exporter.server.connection import MAX_HEADER_BYTES
from pf_exporter.server.server import Server
from tests.conftest import PATIENCE, until
from tests.server.conftest import (
    Serve,
    SlowPage,
    Timers,
    connected,
    connected_to,
    is_disconnected,
    is_served,
)

REQUEST_TIMEOUT, KEEP_ALIVE, STALL_TIMEOUT, RESPONSE_TIMEOUT = 1001, 2001, 3001, 4001
"""Deadlines that no other timer has, and that no test reaches."""


@pytest.fixture
def deadlines(timers: Timers, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[float]]:
    """Returns the deadlines in force, of all connections."""
    for name in ("REQUEST_TIMEOUT", "KEEP_ALIVE", "STALL_TIMEOUT"):
        monkeypatch.setattr(f"pf_exporter.server.connection.{name}", globals()[name])
    return lambda: timers.active(
        REQUEST_TIMEOUT, KEEP_ALIVE + REQUEST_TIMEOUT, STALL_TIMEOUT, RESPONSE_TIMEOUT
    )


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> bytearray:
    """The bytes that all connections have received."""
    everything = bytearray()
    data_received = H11Protocol.data_received

    def record(protocol: H11Protocol, data: bytes) -> None:
        data_received(protocol, data)
        everything.extend(data)

    monkeypatch.setattr(H11Protocol, "data_received", record)
    return everything


def test_300_slow_loris(serve: Serve, timers: Timers, deadlines: Callable[[], list[float]]) -> None:
    """300 clients that never finish their request do not delay others, and are disconnected."""
    server = serve()
    before = threading.active_count()
    clients = [connected(server, b"GET /metrics HTTP/1.1\r\nX-A: ") for _ in range(300)]
    for client in clients[:100]:
        client.sendall(b"b")
    until(lambda: len(deadlines()) == 300, "300 deadlines")
    assert server.get()[::2] == (200, "hello")
    assert threading.active_count() <= before + 1
    timers.end(REQUEST_TIMEOUT)
    for client in clients:
        with client:
            assert is_disconnected(client)
    assert server.get()[0] == 200


def test_sending_slowly_does_not_extend_the_deadline(
    serve: Serve, timers: Timers, received: bytearray, deadlines: Callable[[], list[float]]
) -> None:
    """A byte now and then does not buy time, on a new connection or on one used before."""
    server = serve()
    used, new = connected(server, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), connected(server)
    assert is_served(used)
    until(lambda: timers.started(REQUEST_TIMEOUT) == 2, "two deadlines")
    for client, started in ((new, 2), (used, 3)):
        received.clear()
        with client:
            for sent in (b"G", b"E"):
                client.sendall(sent)
                until(functools.partial(received.endswith, sent), "the byte")
                assert timers.started(REQUEST_TIMEOUT) == started
            timers.end(REQUEST_TIMEOUT)
            assert is_disconnected(client)


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
    with connected(server) as client:
        with contextlib.suppress(ConnectionError):  # The answer may be sent before the end is read.
            client.sendall(head + b"a" * size + b"\r\n\r\n")
        assert re.match(rb"HTTP/1.1 (400|431) ", client.recv(65536))
        assert is_disconnected(client)
    with connected(server, head + b"a" * (MAX_HEADER_BYTES - 1000) + b"\r\n\r\n") as client:
        assert client.recv(65536).startswith(b"HTTP/1.1 200")


def test_every_phase_has_a_deadline(
    serve: Serve, slow_page: SlowPage, timers: Timers, deadlines: Callable[[], list[float]]
) -> None:
    """One deadline at a time: for the headers, the response, the next request and its headers."""
    server = serve(app=slow_page, response_timeout=RESPONSE_TIMEOUT)
    with connected(server) as client:
        until(lambda: deadlines() == [REQUEST_TIMEOUT], "a deadline for the headers")
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: slow_page.active, "a request")
        assert deadlines() == [RESPONSE_TIMEOUT]
        assert timers.started(REQUEST_TIMEOUT) == 1
        slow_page.release.set()
        assert is_served(client)
        until(lambda: deadlines() == [KEEP_ALIVE + REQUEST_TIMEOUT], "a deadline for the next request")
        client.sendall(b"GET")
        until(lambda: deadlines() == [REQUEST_TIMEOUT], "a deadline for its headers")
        assert timers.started(REQUEST_TIMEOUT) == 2
    until(lambda: deadlines() == [], "no deadline after the end")


def test_requests_in_advance(
    serve: Serve, slow_page: SlowPage, received: bytearray, deadlines: Callable[[], list[float]]
) -> None:
    """What a client sends while it waits for a response does not change the deadline of the response."""

    async def pages(scope: Scope, receive: Receive, send: Send) -> None:
        page = slow_page if scope["path"] == "/slow" else PlainTextResponse("quick")
        await page(scope, receive, send)

    server = serve(app=pages, response_timeout=RESPONSE_TIMEOUT)
    requests = [f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for path in ("/", "/slow", "/")]
    with connected(server, requests[0] + requests[1]) as client:
        until(lambda: slow_page.active, "the second request")
        client.sendall(requests[2])
        until(lambda: received.endswith(requests[2]), "the third request")
        assert deadlines() == [RESPONSE_TIMEOUT]
        slow_page.release.set()
        responses = b""
        while responses.count(b"quick") < 2:
            responses += client.recv(65536)
        assert re.findall(b"quick|hello", responses) == [b"quick", b"hello", b"quick"]


def test_clients_that_leave_free_their_places(
    serve: Serve, slow_page: SlowPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that leaves in the middle of its request makes room for another."""
    monkeypatch.setattr("pf_exporter.server.connections.MAX_CONNECTIONS", 2)
    server = serve(app=slow_page)
    clients = [connected(server, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") for _ in range(2)]
    until(lambda: slow_page.active == 2, "two requests")
    for client in clients:
        client.close()
    until(lambda: server.server.open_connections == 0, "their end")
    slow_page.release.set()
    with connected(server, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") as another:
        assert is_served(another)


class TwoParts:
    """A page of two parts; the second is sent after ``release`` is set."""

    size = 8 * 1024 * 1024
    """The bytes of the first part, more than the buffers of the sockets hold."""

    def __init__(self) -> None:
        self.is_read = threading.Event()
        """Whether the client has read most of the first part."""
        self.release = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(self.size), "more_body": True})
        await send({"type": "http.response.body", "more_body": True})  # Waits for the client.
        self.is_read.set()
        await asyncio.get_running_loop().run_in_executor(None, self.release.wait, PATIENCE)
        await send({"type": "http.response.body", "body": b"second part"})


def test_a_client_that_pauses_and_reads_on(
    serve: Serve, deadlines: Callable[[], list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that does not read has a deadline for it; when it reads on, it is kept like any other."""
    monkeypatch.setattr("pf_exporter.server.connections.MAX_CONNECTIONS", 1)
    page = TwoParts()
    server = serve(app=page, response_timeout=RESPONSE_TIMEOUT)
    with connected(server, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") as client:
        until(lambda: deadlines() == [RESPONSE_TIMEOUT, STALL_TIMEOUT], "a deadline for reading")
        received = 0
        while received < page.size:
            received += len(client.recv(1 << 20))
        assert page.is_read.wait(PATIENCE)
        assert deadlines() == [RESPONSE_TIMEOUT]
        with connected(server) as refused:
            assert is_disconnected(refused)
        page.release.set()
        rest = b""
        while not rest.endswith(b"\r\n0\r\n\r\n"):
            rest += client.recv(65536)
        assert b"second part" in rest
    until(lambda: deadlines() == [], "no deadline after the end")


def test_a_client_that_leaves_without_reading(serve: Serve, deadlines: Callable[[], list[float]]) -> None:
    """No deadline is left of a client that leaves in the middle of its response."""
    page = TwoParts()
    server = serve(app=page, response_timeout=RESPONSE_TIMEOUT)
    page.release.set()
    with connected(server, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"):
        until(lambda: STALL_TIMEOUT in deadlines(), "a deadline for reading")
    until(lambda: deadlines() == [], "no deadline after the end")


class Endless:
    """An application whose response has no end."""

    def __init__(self) -> None:
        self.started = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.started.set()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            await asyncio.sleep(0)


def test_an_endless_response_that_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a limit of time for responses, a client that never reads is disconnected all the same."""
    monkeypatch.setattr("pf_exporter.server.connection.STALL_TIMEOUT", 0.3)
    endless = Endless()
    with Server(endless, ["127.0.0.1:0"], name="web") as server:
        client = connected_to(server.addresses[0], b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert endless.started.wait(PATIENCE)
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
