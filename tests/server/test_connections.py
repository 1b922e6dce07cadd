"""Crowds of clients: idle ones, silent ones and ones that do not read never shut out another client."""

from __future__ import annotations

import functools
import resource
import subprocess
import sys

import pytest

from pf_exporter.server import connections
from pf_exporter.server.connections import Connections, client_network, raise_descriptor_limit
from tests.conftest import until
from tests.server.authority import Authority
from tests.server.conftest import (
    Serve,
    SlowPage,
    WebServer,
    connected,
    connected_to,
    is_disconnected,
    is_served,
)
from tests.server.crowd import Crowd

REQUEST = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"


def failures(server: WebServer, number: int, path: str = "/metrics") -> int:
    """How many of so many requests, each on a new connection, were not answered with 200."""
    failed = 0
    for _ in range(number):
        try:
            failed += server.get(path)[0] != 200
        except OSError:
            failed += 1
    return failed


@pytest.mark.no_cover
@pytest.mark.parametrize("sent", [b"", b"GET /metrics HTTP/1.1\r\nX-A: ", REQUEST], ids=len)
def test_1000_idle_connections(serve: Serve, sent: bytes) -> None:
    """1,000 idle or half-open connections of one host, renewed when closed, fail at most 1 of 100 scrapes."""
    server = serve()
    with Crowd(server.address, 1000, sent) as crowd:
        assert failures(server, 100) <= 1
        assert failures(server, 10, "/-/healthy") == 0
        assert crowd.closed > 0
        assert server.server.open_connections <= connections.MAX_CONNECTIONS


@pytest.mark.no_cover
def test_idle_tls_connections(serve: Serve, authority: Authority) -> None:
    """Clients that never finish the TLS handshake give way like others."""
    authority.sign("server", "127.0.0.1")
    server = serve("tls_server_config: {cert_file: server.pem, key_file: server.key}")
    context = authority.trusting()
    with Crowd(server.address, 600, b"\x16\x03\x01\x02\x00\x01") as crowd:
        assert [server.get(context=context)[0] for _ in range(20)] == [200] * 20
        assert crowd.closed > 0


def test_a_client_keeps_its_connection(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle connection of one address stays open while another address opens too many."""
    monkeypatch.setattr("pf_exporter.server.connections.MAX_CONNECTIONS", 50)
    server = serve()
    connection = server.connection()
    connection.request("GET", "/metrics")
    assert connection.getresponse().read() == b"hello"
    with Crowd(server.address, 200, source="127.0.0.2") as crowd:
        until(lambda: crowd.closed > 500, "many renewed connections")
        connection.request("GET", "/metrics")
        assert connection.getresponse().read() == b"hello"
    connection.close()


def test_the_longest_idle_connection_is_closed(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above the limit a new connection takes the place of the one that has been idle for longest."""
    monkeypatch.setattr("pf_exporter.server.connections.MAX_CONNECTIONS", 3)
    server = serve()
    clients = [connected(server) for _ in range(3)]
    assert is_served(clients[0], REQUEST)
    with connected(server) as newcomer:
        assert is_served(newcomer, REQUEST)
        assert is_disconnected(clients[1])
        for client in (clients[0], clients[2]):
            assert is_served(client, REQUEST)
    for client in clients:
        client.close()


def test_a_connection_gives_way_after_its_response(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection whose request is answered is idle again, and is closed for another."""
    monkeypatch.setattr("pf_exporter.server.connections.MAX_CONNECTIONS", 1)
    server = serve()
    with connected(server) as client:
        assert is_served(client, REQUEST)
        with connected(server) as newcomer:
            assert is_served(newcomer, REQUEST)
            assert is_disconnected(client)


def test_requests_in_progress_are_not_closed(
    serve: Serve, slow_page: SlowPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While every connection has a request in progress, a new one is refused; they all get their page."""
    monkeypatch.setattr("pf_exporter.server.connections.MAX_CONNECTIONS", 3)
    server = serve(app=slow_page)
    clients = [connected(server, REQUEST) for _ in range(3)]
    until(lambda: slow_page.active == 3, "three requests")
    with connected(server) as refused:
        assert is_disconnected(refused)
    slow_page.release.set()
    for client in clients:
        with client:
            assert is_served(client)


OUT_OF_DESCRIPTORS = """
import resource, sys
from pf_exporter.log import configure_logging
from pf_exporter.server import Server
from pf_exporter.server import connections
from starlette.responses import PlainTextResponse

configure_logging("info", "logfmt")
connections.DESCRIPTORS_SHARE = 0.1  # As if something else had used them up.
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
with Server(PlainTextResponse("hello"), ["127.0.0.1:0"], name="web") as server:
    print(server.addresses[0], flush=True)
    sys.stdin.read()
"""


def is_another_served(address: str) -> bool:
    """Whether a new client gets a page, and does not have to give way before it has sent its request."""
    try:
        with connected_to(address) as client:
            return is_served(client, REQUEST)
    except ConnectionError:
        return False


def test_no_descriptor_left() -> None:
    """When no descriptor is left, connections are still served, and the log gets a line or two."""
    process = subprocess.Popen(
        [sys.executable, "-c", OUT_OF_DESCRIPTORS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    try:
        with Crowd(address, 200) as crowd:
            until(lambda: crowd.closed > 20, "connections that were closed for others")
            until(lambda: is_another_served(address), "a page")
    finally:
        _, log = process.communicate(timeout=60)
    assert "cannot accept connections" in log
    assert len(log.splitlines()) < 10, log


def test_descriptor_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The soft limit of descriptors becomes the hard one, and connections get half of it at most."""
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: limits[-1] if limits else (64, 1000))
    monkeypatch.setattr(resource, "setrlimit", lambda kind, pair: limits.append(pair))
    assert connections.default_limit() == 32
    raise_descriptor_limit()
    assert limits == [(1000, 1000)]
    assert connections.default_limit() == connections.MAX_CONNECTIONS


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8::ff00:0:0:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%lo", "fe80::2%lo", True),
    ],
)
def test_a_network_is_one_client(one: str, other: str, *, same: bool) -> None:
    """An IPv6 client can have any address of its /64 network, an IPv4 client has one."""
    assert (client_network(one) == client_network(other)) is same


def test_the_largest_client_gives_way() -> None:
    """The client with the most connections loses one, even if another's has been idle for longer."""
    closed: list[str] = []
    open_connections = Connections(limit=4)
    for name in ("a", "b1", "b2", "b3", "a2"):
        assert open_connections.admit(name[0], functools.partial(closed.append, name)) is not None
    assert closed == ["b1"]


def test_places_are_freed_once(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """After 100 clients that left in every phase the limit is what it was: no place is lost or gained."""
    monkeypatch.setattr("pf_exporter.server.connections.MAX_CONNECTIONS", 4)
    server = serve()
    for number in range(100):
        connected(server, (b"", b"GET", REQUEST)[number % 3]).close()
    assert server.get()[0] == 200  # Accepted after those that have gone.
    until(lambda: server.server.open_connections == 0, "their end")
    kept = [connected(server) for _ in range(4)]
    for client in kept:
        assert is_served(client, REQUEST)
    until(lambda: server.server.open_connections == 4, "four connections")
    assert server.server.open_connections == 4
    with connected(server) as newcomer:
        assert is_served(newcomer, REQUEST)
        assert is_disconnected(kept[0])
        assert server.server.open_connections == 4
    for client in kept:
        client.close()
