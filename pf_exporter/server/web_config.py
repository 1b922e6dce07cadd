"""The web configuration, as values: TLS, headers, users and the rate limit."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pf_exporter.config import Secret


class TlsConfig(NamedTuple):
    """TLS parameters and client certificate rules; certificates and the key in PEM form."""

    cert: str
    key: Secret
    client_ca: str
    """Empty if client certificates are not verified."""
    client_auth: ssl.VerifyMode
    allowed_sans: frozenset[str]
    """A client certificate must have one of these names; empty allows all."""
    min_version: ssl.TLSVersion
    max_version: ssl.TLSVersion
    ciphers: tuple[str, ...]
    """OpenSSL's names; empty for OpenSSL's defaults. Those of TLS 1.3 are always enabled."""
    curve: str
    """OpenSSL's name; empty for OpenSSL's default."""
    prefer_server_ciphers: bool


@dataclass(frozen=True)
class WebConfig:
    """A web configuration; the defaults are those of an empty file."""

    tls: TlsConfig | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, Secret] = field(default_factory=dict)
    """The bcrypt hash of the password by user name; empty disables authentication."""
    interval: float = 0.0
    """Seconds between two requests, on average; 0 is no limit."""
    burst: int = 0
