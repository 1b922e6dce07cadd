"""Which proxy an account uses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pf_exporter.config.accounts import Account
from pf_exporter.config.loader import load
from pf_exporter.config.proxy import bypasses, find_proxy, parse_proxy_url
from pf_exporter.config.secrets import Secret, SecretFile
from pf_exporter.errors import ConfigError
from tests.config.helpers import parse_flags

URL = "http://proxy.example.com:3128"


@pytest.mark.parametrize(
    ("text", "address", "credentials"),
    [
        (URL, "proxy.example.com:3128", None),
        ("proxy", "proxy:80", None),
        ("http://[::1]:8080/", "[::1]:8080", None),
        ("http://us%40er:p%2Fw@proxy:1", "proxy:1", Secret("us@er:p/w")),
    ],
)
def test_proxy_url(text: str, address: str, credentials: Secret | None) -> None:
    """Host, port and credentials, which may be percent-encoded."""
    proxy = parse_proxy_url(text)
    assert (proxy.address, proxy.credentials) == (address, credentials)


@pytest.mark.parametrize(
    "text",
    ["", "socks5://c4nary", "https://c4nary", "http://", "http://c4nary/x", "http://a:c4nary@p:x", "a\nb"],
)
def test_unusable_proxy_url(text: str) -> None:
    """The error says what is expected and does not quote the URL, which may hold a password."""
    with pytest.raises(ValueError, match="expected the URL of an HTTP proxy") as caught:
        parse_proxy_url(text)
    assert "c4nary" not in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "host", "bypassed"),
    [
        ("*", "api.example.com", True),
        ("example.com", "example.com", True),
        ("example.com", "api.EXAMPLE.com", True),
        ("example.com", "badexample.com", False),
        (".example.com", "api.example.com", True),
        (".example.com", "example.com", False),
        ("*.example.com", "api.example.com", True),
        ("api.example.com:443", "api.example.com", True),
        ("api.example.com:8443", "api.example.com", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3:443", "10.1.2.3", True),
        ("::1", "::1", True),
        ("[fd00::1]:443", "fd00::1", True),
        ("", "api.example.com", False),
    ],
)
def test_no_proxy(rule: str, host: str, bypassed: bool) -> None:
    """The rules of NO_PROXY match as in curl and Go."""
    assert bypasses([rule], host, 443) is bypassed


def proxy_of(environ: dict[str, str] | None = None, **changes: Any) -> str | None:
    proxy = find_proxy(Account(**changes), environ or {})
    return None if proxy is None else proxy.address


def test_environment() -> None:
    """The environment's proxy is used if the account enables it, but not for a server on this machine."""
    environ = {"HTTPS_PROXY": URL, "NO_PROXY": "internal.example.com"}
    assert proxy_of(environ) is None
    assert proxy_of(environ, proxy_from_environment=True) == "proxy.example.com:3128"
    assert proxy_of({"https_proxy": URL}, proxy_from_environment=True) == "proxy.example.com:3128"
    assert proxy_of({"HTTP_PROXY": URL}, proxy_from_environment=True) is None
    for host in ("127.0.0.1", "localhost", "[::1]", "internal.example.com"):
        assert proxy_of(environ, proxy_from_environment=True, api_url=f"https://{host}") is None


def test_no_proxy_without_tls() -> None:
    """A proxy would see the token of requests without TLS: those never use one."""
    assert proxy_of(proxy_url=Secret(URL), api_url="http://127.0.0.1:1") is None


def test_file_is_read_each_time(tmp_path: Path) -> None:
    """The password of the proxy can be rotated; an unusable file is an error without its content."""
    path = tmp_path / "proxy"
    source = SecretFile(str(path), "proxy_url_file")
    path.write_text("http://u:old@proxy:1\n")
    assert find_proxy(Account(proxy_url=source)) == parse_proxy_url("http://u:old@proxy:1")
    path.write_text("http://u:new@proxy:1\n")
    assert find_proxy(Account(proxy_url=source)) == parse_proxy_url("http://u:new@proxy:1")
    path.write_text("socks5://u:c4nary@proxy:1\n")
    with pytest.raises(ConfigError, match="expected the URL of an HTTP proxy") as caught:
        find_proxy(Account(proxy_url=source))
    assert "c4nary" not in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"PF_PROXY_URL": "http://u:c4nary@proxy:1"}, "put it into a file"),
        ({"PF_PROXY_URL": URL, "PF_PROXY_FROM_ENVIRONMENT": "true"}, "keep only one of them"),
        ({"PF_NO_PROXY": "example.com"}, "without effect"),
        ({"PF_PROXY_URL": URL, "PF_HOST": "http://127.0.0.1:1"}, "would see the credentials"),
        ({"PF_PROXY_URL": URL, "PF_HOST": "HTTP://127.0.0.1:1"}, "would see the credentials"),
        ({"PF_PROXY_URL_FILE": "/nowhere/c"}, "cannot be read"),
    ],
)
def test_problems(variables: dict[str, str], problem: str) -> None:
    """Problems with a proxy are reported at the start, without its password."""
    with pytest.raises(ConfigError) as caught:
        load(parse_flags(), {"PF_TOKEN": "x", **variables})
    assert problem in str(caught.value)
    assert "c4nary" not in str(caught.value)
