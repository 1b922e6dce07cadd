"""Checks before the login: secrets, the API's name, the connection, and the clock."""

from __future__ import annotations

import email.utils
import ipaddress
import socket
from functools import partial
from urllib.parse import urlsplit

from pf_exporter.config import Account, Proxy, SecretFile, find_proxy
from pf_exporter.diagnostics.result import CheckFailed, FailureClass, Notice, Outcome
from pf_exporter.packetfabric import Request, Transport

PROXY_TIMEOUT = 10.0
"""Seconds to connect to a proxy."""
CLOCK_TOLERANCE = 30.0
"""Seconds by which this machine's clock and the API's may differ."""


def check_secrets(account: Account) -> Outcome:
    """Read every secret of an account."""
    secrets = [secret for secret in (account.token, account.login, account.password) if secret is not None]
    for secret in secrets:
        secret.read()
    kind = "an API key" if account.token is not None else "user and password"
    has_files = any(isinstance(secret, SecretFile) for secret in secrets)
    return f"{kind}, {'read from files' if has_files else 'set directly'}"


def check_name(api_url: str) -> Outcome:
    """Resolve the host name of the API."""
    parts = urlsplit(api_url)
    host = parts.hostname or ""
    try:
        return f"{ipaddress.ip_address(host)} is an IP address"
    except ValueError:
        pass
    try:
        found = socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as exc:
        error = getattr(exc, "strerror", None) or "not a valid host name"
        remedy = "check api_url, and the DNS configuration of this machine"
        raise CheckFailed(FailureClass.CONNECTION, f"{host}: {error}", remedy) from None
    first, *others = dict.fromkeys(str(address[0]) for *_, address in found)
    return f"{host} resolves to {first}" + (f" and {len(others)} more" if others else "")


def check_proxy(proxy: Proxy) -> Outcome:
    """Connect to a proxy, and name it."""
    try:
        socket.create_connection((proxy.host, proxy.port), PROXY_TIMEOUT).close()
    except (OSError, UnicodeError) as exc:
        error = getattr(exc, "strerror", None) or "timed out"
        raise CheckFailed(
            FailureClass.CONNECTION,
            f"{proxy.address}: {error}",
            "check the account's proxy_url and proxy_url_file",
        ) from None
    credentials = "with user and password" if proxy.credentials is not None else "without credentials"
    return f"{proxy.address} accepts connections; used {credentials}"


def connect(account: Account) -> tuple[str, str]:
    """Connect without a secret, so that none is sent before the certificate is verified.

    Returns the message, and the ``Date`` header of the response.
    """
    transport = Transport(
        account.api_url, {}, ca_file=account.ca_file, find_proxy=partial(find_proxy, account)
    )
    response = transport.call(Request("connection", "GET", "/v2/events"))
    is_encrypted = urlsplit(account.api_url).scheme == "https"
    security = "its certificate is trusted" if is_encrypted else "no TLS, because it is on this machine"
    return f"{account.api_url} responds; {security}", response.headers.get("Date", "")


def check_clock(date: str, now: float) -> Outcome:
    """Compare a ``Date`` header with this machine's clock, in UNIX seconds."""
    try:
        ahead = now - email.utils.parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, OverflowError):
        return Notice("the API's response has no date to compare with")
    if abs(ahead) <= CLOCK_TOLERANCE:
        return f"within {CLOCK_TOLERANCE:.0f} s of the API's clock"
    direction = "ahead of" if ahead > 0 else "behind"
    raise CheckFailed(
        FailureClass.CLOCK,
        f"{abs(ahead):.0f} s {direction} the API's clock",
        "synchronize this machine's clock, for example with NTP",
    )
