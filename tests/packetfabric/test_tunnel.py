"""Requests through a company's HTTP proxy."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pf_exporter.config.accounts import Account
from pf_exporter.config.proxy import Proxy as ProxyAddress
from pf_exporter.config.secrets import Secret, SecretFile
from pf_exporter.errors import Unavailable
from pf_exporter.packetfabric.client import Client
from pf_exporter.packetfabric.tunnel import ProxyError, connect_through
from tests.chain import Chain
from tests.conftest import until
from tests.fakes import Fake, certificate, dead_url
from tests.links import Proxy
from tests.stream.events import sample

KEY = "key"
USER = "aladdin:open sesame"


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any]:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def fake(trusted: tuple[str, Any]) -> Iterator[Fake]:
    with Fake(tls=trusted[1], heartbeat=0.05) as server:
        yield server


def account(fake: Fake, trusted: tuple[str, Any], url: str, **changes: Any) -> Account:
    return fake.account(
        token=Secret(KEY), login=None, password=None, ca_file=trusted[0], proxy_url=Secret(url), **changes
    )


def failure(one: Account) -> str:
    client = Client(one, idle_timeout=5.0)
    with pytest.raises(Unavailable) as caught:
        client.subscribe(client.login(), one.streams)
    return str(caught.value)


def test_stream_through_a_proxy(fake: Fake, trusted: tuple[str, Any], tmp_path: Path) -> None:
    """Everything goes through the tunnel, with the credentials of a file; the proxy sees no request."""
    with Proxy(user=USER) as proxy:
        path = tmp_path / "proxy"
        path.write_text(f"http://aladdin:open%20sesame@{proxy.address}\n")
        one = fake.account(ca_file=trusted[0], proxy_url=SecretFile(str(path), "proxy_url_file"))
        with Chain(one) as chain:
            until(lambda: chain.stats.up, "a stream")
            fake.send(sample(1))
            chain.wait_for_events(1)
        target = fake.url.removeprefix("https://")
        assert {head.splitlines()[0] for head in proxy.heads} == {f"CONNECT {target} HTTP/1.1"}
        assert len(proxy.heads) >= len(fake.requests)
        for secret in (b"password", b"Bearer", b"/v2/", *(token.encode() for token in fake.sessions)):
            assert secret not in proxy.from_client.replace(b"Proxy-Authorization", b"")


def test_wrong_password_of_the_proxy(fake: Fake, trusted: tuple[str, Any]) -> None:
    """The error names the proxy, the status and the key to check, and no password."""
    with Proxy(user=USER) as proxy:
        error = failure(account(fake, trusted, f"http://aladdin:c4nary@{proxy.address}"))
    assert re.fullmatch(
        rf"subscription: 127\.0\.0\.1:\d+: proxy {proxy.address}: HTTP 407; it did not accept the user and"
        " password; check them in proxy_url_file",
        error,
    )
    assert not fake.requests


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"", "closed the connection"),
        (b"HTTP/1.1 200 Conn", "closed the connection"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "HTTP 403; it does not allow this connection"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://login/\r\n\r\n", "HTTP 302"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "HTTP 502; it cannot reach 127.0.0.1:"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "the response is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"y" * (1 << 15) + b"\r\n\r\n", "the response is too long"),
    ],
)
def test_proxy_that_refuses(fake: Fake, trusted: tuple[str, Any], answer: bytes, cause: str) -> None:
    """Whatever the proxy answers, the error is one line that names it."""
    with Proxy(answer=answer) as proxy:
        error = failure(account(fake, trusted, proxy.url))
        assert f"proxy {proxy.address}: {cause}" in error
    assert "\n" not in error
    assert not fake.requests


def test_proxy_that_is_down(fake: Fake, trusted: tuple[str, Any]) -> None:
    """A proxy that cannot be reached is named, not the API."""
    url = dead_url()
    assert f"proxy {url.removeprefix('http://')}: Connection refused" in failure(account(fake, trusted, url))


def test_slow_proxy(fake: Fake, trusted: tuple[str, Any]) -> None:
    """A stop does not wait for a proxy that does not answer."""
    with Proxy(delay=60.0) as proxy, Chain(account(fake, trusted, proxy.url)):
        until(lambda: True, "the start")


def test_proxy_that_cuts_the_stream(fake: Fake, trusted: tuple[str, Any]) -> None:
    """A tunnel that breaks is a broken connection: the stream is opened again."""
    with Proxy() as proxy, Chain(account(fake, trusted, proxy.url)) as chain:
        until(lambda: chain.stats.up, "a stream")
        proxy.cut()
        until(lambda: chain.stats.connects == 2 and chain.stats.up, "another stream")
        assert chain.stats.disconnects["broken"] == 1


def test_environment_is_not_used_unless_asked(
    fake: Fake, trusted: tuple[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Proxies of the environment are ignored."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setitem(os.environ, name, dead_url())
    with Chain(fake.account(ca_file=trusted[0])) as chain:
        until(lambda: chain.stats.up, "a stream")


class Answered:
    """A proxy that has answered before the request; ``tunnel`` opens a tunnel through it."""

    def __init__(self, answer: bytes) -> None:
        self._client, self._proxy = socket.socketpair()
        self._proxy.sendall(answer)

    def tunnel(self, host: str = "api", credentials: Secret | None = None) -> tuple[str, bytes]:
        """Open a tunnel; return the request, and what comes out of the tunnel."""
        address = ProxyAddress("proxy", 3128, credentials)
        with self._client, self._proxy:
            tunnel = connect_through(address, host, 443, lambda host, port: self._client)
            return self._proxy.recv(1 << 16).decode(), tunnel.recv(1 << 16)


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.0 299 Fine\r\nA: b\r\n\r\n"])
def test_bytes_after_the_head_belong_to_the_tunnel(head: bytes) -> None:
    """Any success opens the tunnel, and no byte behind the head is lost, however long the head is."""
    for padding in (b"", b" "):
        _, received = Answered(head.replace(b"\r\n", padding + b"\r\n", 1) + b"TLS").tunnel()
        assert received == b"TLS"


def test_request_of_a_tunnel() -> None:
    """The request names the API twice, an IPv6 address in brackets, and has credentials if there are any."""
    ok = b"HTTP/1.1 200 OK\r\n\r\n."
    assert Answered(ok).tunnel()[0] == "CONNECT api:443 HTTP/1.1\r\nHost: api:443\r\n\r\n"
    assert Answered(ok).tunnel("::1")[0] == "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n"
    lines = Answered(ok).tunnel(credentials=Secret("Aladdin:open sesame"))[0].splitlines()
    assert lines[2] == "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (300, ""),
        (403, "; it does not allow this connection; ask for an exception for api:443"),
        (404, ""),
        (407, "; it did not accept the user and password; check them in proxy_url_file"),
        *((status, "; it cannot reach api:443") for status in (502, 503, 504)),
        (505, ""),
    ],
)
def test_status_of_a_proxy(status: int, meaning: str) -> None:
    """Each status that users meet is explained."""
    with pytest.raises(ProxyError) as caught:
        Answered(b"HTTP/1.1 %d Because\r\n\r\n" % status).tunnel()
    assert caught.value.strerror == f"proxy proxy:3128: HTTP {status}{meaning}"


def test_longest_head_of_a_proxy() -> None:
    """A response of 16 KiB is read, and not one byte more."""
    head = b"HTTP/1.1 200 OK\r\nA: ".ljust((16 << 10) - 4, b"a") + b"\r\n\r\n"
    assert Answered(head + b"TLS").tunnel()[1] == b"TLS"
    with pytest.raises(ProxyError, match="the response is too long"):
        Answered(head.replace(b"OK", b"OK.") + b"TLS").tunnel()


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name unknown"), "the name cannot be resolved: Name unknown"),
        (TimeoutError("timed out"), "timed out"),
        (ConnectionRefusedError(111, "c4nary"), os.strerror(111)),
        (OSError("c4nary"), "connection failed"),
    ],
)
def test_unreachable_proxy(error: OSError, cause: str) -> None:
    """An error of the connection to the proxy names the proxy."""

    def connect(host: str, port: int) -> socket.socket:
        assert (host, port) == ("proxy", 3128)
        raise error

    with pytest.raises(ProxyError) as caught:
        connect_through(ProxyAddress("proxy", 3128), "api", 443, connect)
    assert caught.value.strerror == f"proxy proxy:3128: {cause}"
