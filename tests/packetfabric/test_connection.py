"""The connection under a request: its socket options, and how it is aborted."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import urllib3

from pf_exporter.packetfabric.abort import CLOSED, Abort
from pf_exporter.packetfabric.connection import AbortableConnection
from tests.fakes import dead_url


class Target(SimpleNamespace):
    """What AbortableConnection uses of a connection of urllib3."""

    was_closed = False

    def close(self) -> None:
        self.was_closed = True


@pytest.fixture
def target() -> Iterator[Target]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Target(host="127.0.0.1", port=listener.getsockname()[1], timeout=60)


def test_options(target: Target) -> None:
    """A connection without traffic is probed, so that a dead peer is noticed below HTTP as well."""
    connection = AbortableConnection()
    with connection.connect(target) as sock:
        assert sock.gettimeout() == target.timeout
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        if hasattr(socket, "TCP_KEEPIDLE"):
            names = ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
            assert [sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in names] == [
                30,
                10,
                3,
            ]
    connection.close()
    assert target.was_closed


def test_second_address(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an address that refuses, the next one is tried, and the first attempt leaves nothing open."""
    refusing = urlsplit(dead_url())
    addresses = [
        (socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, port))
        for host, port in ((refusing.hostname, refusing.port), (target.host, target.port))
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: addresses)
    connection = AbortableConnection()
    with connection.connect(target) as sock:
        assert sock.getpeername() == (target.host, target.port)
        connection.abort(CLOSED)
        assert sock.recv(1) == b""
    connection.close()


def test_an_aborted_connection_does_not_connect(target: Target) -> None:
    """After an abort no attempt to connect succeeds."""
    connection = AbortableConnection()
    connection.abort(Abort("stopping"))
    with pytest.raises(urllib3.exceptions.NewConnectionError):
        connection.connect(target)
    connection.close()


def test_the_first_abort_counts(target: Target) -> None:
    """A later abort, such as the one of close(), does not replace the cause."""
    connection = AbortableConnection()
    first = Abort("first")
    with connection.connect(target) as sock:
        connection.abort(first)
        connection.abort(Abort("second"))
        connection.close()
        assert sock.recv(1) == b""
    assert connection.aborted is first


def test_close_is_an_abort() -> None:
    """A connection that was never made can be closed, and is aborted then."""
    connection = AbortableConnection()
    connection.close()
    assert connection.aborted is CLOSED
