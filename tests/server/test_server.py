"""The server: where it listens, what it tells clients, and how it ends."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from pf_exporter.errors import CannotListen, ConfigError
from pf_exporter.server.server import Server, bind
from tests.conftest import PATIENCE, get, until
from tests.server.authority import Authority
from tests.server.conftest import Serve, SlowPage, Timers, connected, connected_to, is_disconnected, is_served

PAGE = PlainTextResponse("hello")
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    ("address", "has_dualstack", "host", "family"),
    [
        (":80", True, "::", socket.AF_INET6),
        (":80", False, "0.0.0.0", socket.AF_INET),
        ("127.0.0.1:80", True, "127.0.0.1", socket.AF_INET),
        ("[::1]:80", True, "::1", socket.AF_INET6),
        ("localhost:80", True, "localhost", socket.AF_INET),
    ],
)
def test_interfaces(
    monkeypatch: pytest.MonkeyPatch, address: str, has_dualstack: bool, host: str, family: int
) -> None:
    """Without a host the server listens on all interfaces, with IPv6 if the system has it."""
    calls: list[tuple[object, Mapping[str, object]]] = []
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: has_dualstack)
    monkeypatch.setattr(socket, "create_server", lambda where, **options: calls.append((where, options)))
    bind(address)
    ((where, options),) = calls
    assert where == (host, 80)
    assert (options["family"], options["dualstack_ipv6"]) == (family, host == "::")


@pytest.mark.parametrize("address", ["", "80", "localhost", "localhost:http", "[::1]", "127.0.0.1:65536"])
def test_what_is_no_address(address: str) -> None:
    """What is not an address is refused with the form of one."""
    with pytest.raises(ConfigError, match=rf"^listen address '{address}': expected .*".replace("[", r"\[")):
        bind(address)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(errno.EADDRINUSE, "repeats the address"), "Address already in use"),
        (socket.gaierror(-2, "Name or service not known"), "[Errno -2] Name or service not known"),
        (OSError("no number"), "no number"),
    ],
    ids=["address in use", "unresolved name", "no number"],
)
def test_an_address_that_is_not_available(
    monkeypatch: pytest.MonkeyPatch, error: OSError, reason: str
) -> None:
    """The error has the system's reason, and the address once."""

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(socket, "create_server", fail)
    with pytest.raises(CannotListen) as caught:
        bind("localhost:80")
    assert (
        str(caught.value) == f"cannot listen on 'localhost:80': {reason}; choose another --web.listen-address"
    )


def test_sockets_are_closed_if_one_address_is_not_available() -> None:
    """A server that cannot listen on its second address does not keep the first."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        # The system chose this port, so no other program listens on it on all addresses.
        port = taken.getsockname()[1]
        first, second = f"127.7.7.7:{port}", f"127.0.0.1:{port}"
        with pytest.raises(CannotListen, match="Address already in use"):
            Server(PAGE, [first, second], name="web")
        bind(first).close()


def test_several_addresses() -> None:
    """The server answers on all its addresses, whose ports are those that the system chose."""
    with Server(PAGE, ["127.0.0.1:0", "[::1]:0"], name="web") as server:
        assert server.has_tls is False
        assert [address.rpartition(":")[0] for address in server.addresses] == ["127.0.0.1", "[::1]"]
        assert [get(f"http://{address}/")[2] for address in server.addresses] == [b"hello"] * 2


def test_the_life_of_the_thread() -> None:
    """The thread never keeps the program from ending; it has ended when the server has stopped."""
    failures: list[object] = []
    server = Server(PAGE, ["127.0.0.1:0"], name="web 7", on_failure=lambda: failures.append(1))
    with server:
        (thread,) = (thread for thread in threading.enumerate() if thread.name == "web 7")
        assert thread.daemon
        with connected_to(server.addresses[0]) as client:
            assert is_served(client, REQUEST)
    assert not thread.is_alive()
    assert failures == []


def test_a_server_that_never_started() -> None:
    """It can be stopped, and gives up its address."""
    server = Server(PAGE, ["127.0.0.1:0"], name="web")
    (address,) = server.addresses
    server.stop()
    with pytest.raises(ConnectionRefusedError):
        connected_to(address)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_fails() -> None:
    """The server reports it if its thread ends before it is stopped."""
    failed = threading.Event()

    def tick() -> None:
        raise RuntimeError("a fault")

    with Server(PAGE, ["127.0.0.1:0"], name="web", on_failure=failed.set, tick=tick):
        assert failed.wait(PATIENCE)


def test_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    """`tick` is called at the start, and then in every tenth round of uvicorn's loop, which takes 0.1 s."""
    calls: list[int | str] = []
    on_tick = uvicorn.Server.on_tick

    async def record(server: uvicorn.Server, counter: int) -> bool:
        calls.append(counter)
        return await on_tick(server, counter)

    monkeypatch.setattr(uvicorn.Server, "on_tick", record)
    with Server(PAGE, ["127.0.0.1:0"], name="web", tick=lambda: calls.append("tick")):
        until(lambda: 11 in calls, "twelve rounds")
    assert calls[: calls.index(11)] == ["tick", *range(10), "tick", 10]


def test_nothing_is_revealed(caplog: pytest.LogCaptureFixture) -> None:
    """Responses do not name the server's software; requests are not logged."""
    caplog.set_level("INFO")
    with Server(PAGE, ["127.0.0.1:0"], name="web") as server:
        _, headers, body = get(f"http://{server.addresses[0]}/?a=secret")
    assert body == b"hello"
    assert "server" not in headers
    assert "secret" not in caplog.text


def test_clients_cannot_forge_their_address() -> None:
    """Headers of proxies do not change the address of a client, to which limits apply."""
    clients: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        clients.append(scope["client"][0])
        await PAGE(scope, receive, send)

    with Server(app, ["127.0.0.1:0"], name="web") as server:
        request = b"GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n"
        with connected_to(server.addresses[0], request) as client:
            assert is_served(client)
    assert clients == ["127.0.0.1"]


@pytest.fixture
def long_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Active requests have all time at shutdown."""
    monkeypatch.setattr("pf_exporter.server.server.GRACE", 1000)


@pytest.mark.usefixtures("long_grace")
def test_stop_ends_handshakes(
    serve: Serve, slow_page: SlowPage, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client in the middle of its TLS handshake is disconnected before active requests are finished."""
    monkeypatch.setattr("pf_exporter.server.listener.HANDSHAKE_TIMEOUT", 1000)
    authority.sign("server", "127.0.0.1")
    server = serve("tls_server_config: {cert_file: server.pem, key_file: server.key}", app=slow_page)
    with connected(server, b"\x16\x03\x01") as silent, ThreadPoolExecutor() as pool:
        active = pool.submit(server.get, context=authority.trusting())
        until(lambda: slow_page.active, "an active request")  # It connected after the silent client.
        stop = pool.submit(server.server.stop)
        assert is_disconnected(silent)
        assert slow_page.active == 1
        slow_page.release.set()
        stop.result()
        assert active.result()[2] == "hello"


@pytest.mark.usefixtures("long_grace")
def test_stop_does_not_wait_for_clients_that_do_not_read(
    timers: Timers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that does not read its response does not delay the stop."""
    monkeypatch.setattr("pf_exporter.server.connection.STALL_TIMEOUT", 3001)

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})

    server = Server(large, ["127.0.0.1:0"], name="web 8")
    server.start()
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "web 8")
    with connected_to(server.addresses[0], REQUEST):
        until(lambda: timers.active(3001), "a response that is not read")
        server.stop()
    assert not thread.is_alive()
