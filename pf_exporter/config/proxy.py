"""The HTTP proxy of an account, from its keys or the environment, and that of a remote write endpoint."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from pf_exporter.config.addresses import parse_proxy_address
from pf_exporter.config.remote_write import RemoteWriteSettings
from pf_exporter.config.secrets import Secret, SecretFile
from pf_exporter.errors import ConfigError

if TYPE_CHECKING:
    from pf_exporter.config.accounts import Account

PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy")
NO_PROXY_VARIABLES = ("NO_PROXY", "no_proxy")


class Proxy(NamedTuple):
    """An HTTP proxy."""

    host: str
    port: int
    credentials: Secret | None = None
    """``USER:PASSWORD``."""

    @property
    def address(self) -> str:
        """HOST:PORT, for messages and requests."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_proxy_url(text: str) -> Proxy:
    """The proxy at an ``http://`` URL; raises ValueError, never with the URL, which may hold a password."""
    parts = parse_proxy_address(text)
    host, port = parts.hostname or "", parts.port or 80
    if parts.username is None:
        return Proxy(host, port)
    credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    if re.search(r"[\x00-\x1f\x7f]", credentials):
        raise ValueError("the user or password of the proxy contains a control character")
    return Proxy(host, port, Secret(credentials))


def bypasses(rules: Iterable[str], host: str, port: int) -> bool:
    """Whether one of the rules of ``no_proxy`` exempts a host from the proxy.

    A rule is ``*``, a domain with its subdomains, with a leading dot only these, an IP address, or a network;
    ``:PORT`` limits a domain or an address to a port.

    >>> bypasses(["example.com"], "api.example.com", 443), bypasses(["10.0.0.0/8:80"], "10.1.1.1", 443)
    (True, False)
    """
    host = host.lower().rstrip(".")
    for rule in (rule.strip().lower() for rule in rules):
        name, separator, suffix = rule.rpartition(":")
        if separator and suffix.isdecimal() and (":" not in name or name.endswith("]")):
            if int(suffix) != port:
                continue
            rule = name
        rule = rule.strip("[]")
        if rule == "*" or _matches(rule, host):
            return True
    return False


def _matches(rule: str, host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        domain = rule.removeprefix("*").removeprefix(".")
        is_subdomain = bool(domain) and host.endswith(f".{domain}")
        return is_subdomain or (host == domain and rule == domain)
    try:
        return address in ipaddress.ip_network(rule, strict=False)
    except ValueError:
        return False


def _first(environ: Mapping[str, str], names: Iterable[str]) -> str:
    return next((environ[name] for name in names if environ.get(name)), "")


def find_proxy(account: Account, environ: Mapping[str, str] = os.environ) -> Proxy | None:
    """The proxy for the requests of an account, or None; a file with its URL is read each time.

    Raises :class:`ConfigError`. A server on this machine, the only one that may be reached without TLS, has
    none: a proxy would see the credentials.
    """
    parts = urlsplit(account.api_url)
    rules = list(account.no_proxy)
    where = "proxy_url"
    if account.proxy_url is not None:
        url = account.proxy_url.read().reveal()
    elif account.proxy_from_environment:
        url, where = _first(environ, PROXY_VARIABLES), PROXY_VARIABLES[0]
        rules += [*_first(environ, NO_PROXY_VARIABLES).split(","), "localhost", "127.0.0.0/8", "::1"]
    else:
        return None
    if not url or parts.scheme != "https" or bypasses(rules, parts.hostname or "", parts.port or 443):
        return None
    return _proxy(url, where)


def find_endpoint_proxy(endpoint: RemoteWriteSettings) -> Proxy | None:
    """The proxy for the requests of an endpoint, or None; a file with its URL is read each time.

    Raises :class:`ConfigError`.
    """
    if endpoint.proxy_url_file:
        where = f"proxy_url_file: {endpoint.proxy_url_file}"
        return _proxy(SecretFile(endpoint.proxy_url_file, where).read().reveal(), where)
    return _proxy(endpoint.proxy_url, "proxy_url") if endpoint.proxy_url else None


def _proxy(url: str, where: str) -> Proxy:
    try:
        return parse_proxy_url(url)
    except ValueError as exc:
        problem = f"{where}: {exc}"
    # Raised outside of the except block: the original would keep the URL in its frames.
    raise ConfigError([problem])
