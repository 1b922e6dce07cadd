"""Listen addresses and the API's URL."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

_ADDRESS = re.compile(r"(?:\[(?P<ipv6>[^\]]*)\]|(?P<host>[^:]*)):(?P<port>[0-9]{1,5})", re.ASCII)
_HOST_NAME = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
    r"(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?",
    re.ASCII,
)


def parse_listen_address(text: str) -> str:
    """A listen address: ``HOST:PORT``, ``[IPV6]:PORT`` or ``:PORT``; port 0 takes any free port."""
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise ValueError("expected HOST:PORT, [IPV6]:PORT or :PORT, such as 127.0.0.1:10054")
    if int(match["port"]) > 65535:
        raise ValueError("expected a port from 0 to 65535")
    host = match["host"]
    if match["ipv6"] is not None and not _is_ip(match["ipv6"], ipaddress.IPv6Address):
        raise ValueError("expected an IPv6 address within [ and ], such as [::1]:10054")
    if host and re.fullmatch("[0-9.]+", host) and not _is_ip(host, ipaddress.IPv4Address):
        raise ValueError("expected an IPv4 address with four numbers from 0 to 255, such as 127.0.0.1:10054")
    if host and not _HOST_NAME.fullmatch(host):
        raise ValueError("expected a host name or an IP address before the port, such as 127.0.0.1:10054")
    return text


def reachable_address(listen_address: str) -> str:
    """An address at which this machine reaches a server that listens on an address.

    >>> reachable_address("[::]:10054"), reachable_address(":10054"), reachable_address("192.0.2.1:80")
    ('[::1]:10054', '127.0.0.1:10054', '192.0.2.1:80')
    """
    host, _, port = listen_address.rpartition(":")
    try:
        unspecified = not host or ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return listen_address
    if not unspecified:
        return listen_address
    return f"[::1]:{port}" if ":" in host else f"127.0.0.1:{port}"


def _is_ip(text: str, version: type[ipaddress.IPv4Address] | type[ipaddress.IPv6Address]) -> bool:
    try:
        version(text)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether a host name or an IP address is this machine's own."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(text: str, scheme: str) -> SplitResult:
    """The parts of a URL, by default with this scheme; all are empty if its host or its port is unusable."""
    try:
        parts = urlsplit(text if "://" in text else f"{scheme}://{text}")
        host, _ = parts.hostname or "", parts.port
        if "[" in parts.netloc or not re.fullmatch(r"[A-Za-z0-9._-]+", host):
            ipaddress.IPv6Address(host)
    except ValueError:
        return urlsplit("")
    return parts if re.fullmatch(r"[!-~]+", text) else urlsplit("")  # urlsplit ignores line breaks


def parse_proxy_address(text: str) -> SplitResult:
    """The parts of the ``http://`` URL of a proxy; errors never quote it, since it may hold a password."""
    parts = _split(text, "http")
    if parts.scheme != "http" or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("expected the URL of an HTTP proxy, such as http://proxy.example.com:3128")
    return parts


def parse_api_url(text: str) -> str:
    """The API's URL without a trailing slash; without a scheme it is https."""
    parts = _split(text, "https")
    if parts.scheme not in ("https", "http"):
        raise ValueError("expected a URL, such as https://api.packetfabric.com")
    if "@" in parts.netloc or "?" in text or "#" in text or "\\" in text:
        raise ValueError("expected a URL without user, password, query or fragment")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("http would send the credentials in clear text; use https")
    return (text if "://" in text else f"https://{text}").rstrip("/")
