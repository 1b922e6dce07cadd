"""What a web configuration file says, in the format of Prometheus' exporter-toolkit."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pf_exporter.config import (
    BOOLEAN,
    PATH,
    Secret,
    SettingType,
    StrictYaml,
    duration,
    fingerprint,
    read_file,
    safe_key,
)
from pf_exporter.errors import ConfigError
from pf_exporter.server.tls_names import CIPHERS, CLIENT_AUTH, CURVES, TLS13_CIPHERS, VERSIONS

T = TypeVar("T")

LIMIT = 1024 * 1024
"""Largest file, in bytes."""
COST_LIMIT = 16
"""Highest cost of a bcrypt hash: from there on checking a password takes longer than a scrape may."""

HEADERS: Mapping[str, Collection[str]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
"""The headers that may be added, with the values they may have if not every one."""

KEYS: Mapping[str, Collection[str]] = {
    "tls_server_config": (
        "cert", "cert_file", "key", "key_file", "client_ca", "client_ca_file", "client_auth_type",
        "client_allowed_sans", "min_version", "max_version", "cipher_suites", "curve_preferences",
        "prefer_server_cipher_suites",
    ),
    "http_server_config": ("http2", "headers"),
    "basic_auth_users": (),
    "rate_limit": ("interval", "burst"),
}  # fmt: skip


@dataclass(frozen=True)
class TlsConfig:
    """How connections are encrypted, and who may open one; certificates and the key in PEM form."""

    cert: str
    key: Secret
    client_ca: str = ""
    client_auth: ssl.VerifyMode = ssl.CERT_NONE
    allowed_sans: frozenset[str] = frozenset()
    """Names of which a client's certificate must have one; empty allows any."""
    min_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    max_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ciphers: tuple[str, ...] = ()
    """By OpenSSL's names; empty leaves them to OpenSSL. Those of TLS 1.3 are always on."""
    curve: str = ""
    prefer_server_ciphers: bool = True


@dataclass(frozen=True)
class WebConfig:
    """A whole file; the defaults are those of an empty one."""

    tls: TlsConfig | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, Secret] = field(default_factory=dict)
    """By name the bcrypt hash of the password; none lets everybody in."""
    interval: float = 0.0
    """Seconds between two requests, on average; 0 is no limit."""
    burst: int = 0


def read(path: str, files: dict[str, object]) -> WebConfig:
    """The file at ``path``; ``files`` gets the mark of each file read, from just before, also if it is bad.

    Raises :class:`ConfigError` with every problem found.
    """
    reading = _Reading(path, files)
    config = reading.config()
    if reading.problems:
        raise ConfigError(reading.problems)
    return config


class _Reading:
    def __init__(self, path: str, files: dict[str, object]) -> None:
        self.path = path
        self.files = files
        self.problems: list[str] = []

    def say(self, where: str, what: object) -> None:
        self.problems.append(f"{self.path}: {where}: {what}" if where else f"{self.path}: {what}")

    def text(self, path: str, where: str) -> str:
        self.files[path] = fingerprint(path)
        try:
            return read_file(path, LIMIT)[0]
        except ValueError as exc:
            self.say(where, exc)
            return ""

    def config(self) -> WebConfig:
        text = self.text(self.path, "")
        root = self.mapping(StrictYaml(text, self.path, self.problems).read(), "", KEYS)
        tls, http, _, rate = (self.mapping(root.get(name), name, keys) for name, keys in KEYS.items())
        if "http2" in http:
            self.value(BOOLEAN, http["http2"], "http_server_config.http2")
        interval = (
            self.value(SettingType(duration, ""), rate.get("interval", "0"), "rate_limit.interval") or 0.0
        )
        burst = self.value(SettingType(_whole, ""), rate.get("burst", "0"), "rate_limit.burst") or 0
        if interval and not burst:
            self.say(
                "rate_limit.burst", "with less than 1 no request would ever be answered; give at least 1"
            )
        return WebConfig(
            self.tls(tls) if tls else None,
            self.headers(http.get("headers")),
            self.users(root.get("basic_auth_users")),
            interval,
            burst,
        )

    def mapping(self, raw: Any, where: str, known: Collection[str]) -> dict[str, Any]:
        """The keys of a mapping that are not null; where ``known`` names any, only those."""
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            self.say(where, "expected a mapping")
            return {}
        for key in raw:
            if known and key not in known:
                self.say(f"{where}.{safe_key(key)}".strip("."), f"unknown key; known are {', '.join(known)}")
        return {key: value for key, value in raw.items() if value is not None}

    def value(self, kind: SettingType[T], raw: Any, where: str) -> T | None:
        try:
            if not isinstance(raw, str):
                raise ValueError("expected text")
            return kind.parse(raw)
        except ValueError as exc:
            self.say(where, exc)
            return None

    def one_of(self, table: Mapping[str, T], raw: Any, where: str, default: str) -> T:
        """What a table has under a word."""
        word = raw or default
        if isinstance(word, str) and word in table:
            return table[word]
        self.say(where, f"expected one of {', '.join(table)}")
        return table[default]

    def words(self, raw: Any, where: str) -> list[str]:
        if raw is not None and not (isinstance(raw, list) and all(isinstance(one, str) for one in raw)):
            self.say(where, "expected a list of texts")
            return []
        return raw or []

    def headers(self, raw: Any) -> Mapping[str, str]:
        found = self.mapping(raw, "http_server_config.headers", HEADERS)
        for name, value in found.items():
            allowed = HEADERS.get(name, ())
            if not isinstance(value, str) or not re.fullmatch("[ -~]*", value):
                self.say(f"http_server_config.headers.{name}", "expected one line of ASCII")
            elif allowed and value not in allowed:
                self.say(f"http_server_config.headers.{name}", f"expected {' or '.join(allowed)}")
        return {name: value for name, value in found.items() if value}

    def users(self, raw: Any) -> Mapping[str, Secret]:
        users = {}
        for name, value in self.mapping(raw, "basic_auth_users", ()).items():
            where = f"basic_auth_users.{safe_key(name)}"
            if not name or ":" in name:
                self.say(where, "a user's name is not empty and has no colon")
            form = r"\$2[aby]\$([0-3][0-9])\$[./A-Za-z0-9]{53}"
            match = re.fullmatch(form, value) if isinstance(value, str) else None
            if match is None:
                self.say(where, "expected a bcrypt hash, such as `htpasswd -nBC 10 USER` prints")
            elif not 4 <= int(match[1]) <= COST_LIMIT:
                self.say(where, f"expected a bcrypt hash of a cost from 4 to {COST_LIMIT}")
            else:
                users[name] = Secret(value)
        return users

    def pem(self, own: Mapping[str, Any], key: str, *, needed: bool) -> str:
        """What ``key`` holds, or the file that ``key_file`` names."""
        where = f"tls_server_config.{key}"
        if key in own and f"{key}_file" in own:
            self.say(f"{where}_file", f"{key} is there as well; keep one of them")
        elif f"{key}_file" in own:
            path = self.value(PATH, own[f"{key}_file"], f"{where}_file")
            if path is not None:
                return self.text(os.path.join(os.path.dirname(self.path), path), f"{where}_file")
        elif key in own:
            return self.value(SettingType(str, ""), own[key], where) or ""
        elif needed:
            self.say(f"{where}_file", "missing; TLS needs a certificate and its key")
        return ""

    def tls(self, own: Mapping[str, Any]) -> TlsConfig:
        where = "tls_server_config."
        auth = self.one_of(
            CLIENT_AUTH, own.get("client_auth_type"), f"{where}client_auth_type", "NoClientCert"
        )
        sans = self.words(own.get("client_allowed_sans"), f"{where}client_allowed_sans")
        has_ca = "client_ca" in own or "client_ca_file" in own
        if has_ca and auth == ssl.CERT_NONE:
            self.say(
                f"{where}client_auth_type", "has to be RequireAndVerifyClientCert for client_ca to matter"
            )
        if auth != ssl.CERT_NONE and not has_ca:
            self.say(f"{where}client_ca_file", "missing; clients' certificates are verified with it")
        if sans and auth != ssl.CERT_REQUIRED:
            self.say(f"{where}client_allowed_sans", "needs client_auth_type RequireAndVerifyClientCert")
        low = self.one_of(VERSIONS, own.get("min_version"), f"{where}min_version", "TLS12")
        high = self.one_of(VERSIONS, own.get("max_version"), f"{where}max_version", "TLS13")
        if low > high:
            self.say(f"{where}min_version", "is above max_version")
        table = CIPHERS | dict.fromkeys(TLS13_CIPHERS, "")
        suites = self.words(own.get("cipher_suites"), f"{where}cipher_suites")
        ciphers = [self.one_of(table, suite, f"{where}cipher_suites", TLS13_CIPHERS[0]) for suite in suites]
        curves = self.words(own.get("curve_preferences"), f"{where}curve_preferences")
        if len(curves) > 1:
            self.say(f"{where}curve_preferences", "only one can be set here; keep one, or none for the usual")
        curve = self.one_of(CURVES, curves[0], f"{where}curve_preferences", "X25519") if curves else ""
        prefer = self.value(
            BOOLEAN, own.get("prefer_server_cipher_suites", "true"), f"{where}prefer_server_cipher_suites"
        )
        return TlsConfig(
            self.pem(own, "cert", needed=True),
            Secret(self.pem(own, "key", needed=True)),
            self.pem(own, "client_ca", needed=False),
            auth,
            frozenset(sans),
            low,
            high,
            tuple(filter(None, ciphers)),
            curve,
            bool(prefer),
        )


def _whole(text: str) -> int:
    if not re.fullmatch("[0-9]{1,6}", text):
        raise ValueError("expected a whole number up to 999999")
    return int(text)
