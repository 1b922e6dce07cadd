"""Requests through a company's HTTP proxy."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret, SecretFile
from pf_exporter.errors import Unavailable
from pf_exporter.packetfabric.client import Client
from tests.chain import Chain
from tests.conftest import until
from tests.fakes import Fake, certificate, dead_url
from tests.links import Proxy
from tests.packetfabric.harness import SOON, within
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
        assert len(proxy.heads) == len(fake.requests)
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
    with Proxy(delay=60.0) as proxy, within(SOON + 1.0), Chain(account(fake, trusted, proxy.url)):
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
