"""Connections of slow, silent, invalid or too many clients: bounded, and no obstacle to others."""

from __future__ import annotations

import socket
import threading

import pytest

from tests.conftest import until
from tests.server.conftest import Serve, connected, is_disconnected


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
            return
        assert client.recv(65536).startswith(b"HTTP/1.1 400")


def test_connections_are_bounded(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections above the limit are closed at once; when others end, new ones are accepted."""
    monkeypatch.setattr("pf_exporter.server.connection.MAX_CONNECTIONS", 10)
    server = serve()
    clients = [connected(server) for _ in range(10)]
    with connected(server) as refused:
        assert is_disconnected(refused)
    for client in clients:
        client.close()

    def answers() -> bool:
        try:
            return server.get()[0] == 200
        except ConnectionError:
            return False

    until(answers, "an accepted connection")


@pytest.mark.parametrize(
    "sent",
    [b"\r\n\r\n", b"\0" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00\x01"],
)
def test_invalid_requests(serve: Serve, sent: bytes) -> None:
    """A client that does not speak HTTP is disconnected, and the server continues."""
    server = serve()
    with connected(server, sent) as client:
        client.shutdown(socket.SHUT_WR)
        assert is_disconnected(client)
    assert server.get()[0] == 200
