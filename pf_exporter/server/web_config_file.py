"""The web configuration file, in the format of Prometheus' exporter-toolkit."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Collection, Mapping
from typing import Any

from pf_exporter.config import (
    BOOLEAN,
    PATH,
    ConfigReader,
    Location,
    Secret,
    SettingType,
    duration,
    fingerprint,
    in_file_order,
    read_file,
    with_path,
)
from pf_exporter.errors import ConfigError
from pf_exporter.server.tls_names import CIPHERS, CLIENT_AUTH, CURVES, TLS13_CIPHERS, VERSIONS
from pf_exporter.server.web_config import TlsConfig, WebConfig

MAX_BYTES = 1024 * 1024
"""Size limit of each file."""
MAX_BCRYPT_COST = 16
"""Above this cost checking a password takes longer than a scrape may."""
BCRYPT_HASH = r"\$2[aby]\$([0-3][0-9])\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{31}"
"""A bcrypt hash; the group is its cost. The 22 characters of a salt have 4 bits more than its 16 bytes."""

HEADERS: Mapping[str, Collection[str]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
"""The headers the file may add; where values are listed, only those are allowed."""

SECTIONS: Mapping[str, Collection[str] | None] = {
    "tls_server_config": (
        "cert", "cert_file", "key", "key_file", "client_ca", "client_ca_file", "client_auth_type",
        "client_allowed_sans", "min_version", "max_version", "cipher_suites", "curve_preferences",
        "prefer_server_cipher_suites",
    ),
    "http_server_config": ("http2", "headers"),
    "basic_auth_users": None,
    "rate_limit": ("interval", "burst"),
}  # fmt: skip
"""The keys of each section; None if any key is allowed."""


def _whole_number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,6}", text):
        raise ValueError("expected a whole number up to 999999")
    return int(text)


def _file_text(path: str) -> str:
    return read_file(path, MAX_BYTES)[0]


DURATION = SettingType(duration, "")
WHOLE_NUMBER = SettingType(_whole_number, "")
TEXT = SettingType(str, "")
FILE_TEXT = SettingType(_file_text, "")


class _WebConfigReader:
    """Reads one web configuration file and the files it names."""

    def __init__(self, path: str, fingerprints: dict[str, object]) -> None:
        self._path = path
        self._fingerprints = fingerprints
        self._root = Location(path)
        self._reader = ConfigReader()
        self.problems = self._reader.problems

    def _file(self, path: str, where: str) -> str:
        self._fingerprints[path] = fingerprint(path)
        return self._reader.value(FILE_TEXT, path, where) or ""

    def config(self) -> WebConfig:
        """The whole file; not to be used if there are problems."""
        document, self._root = self._reader.yaml(self._file(self._path, self._path), self._path)
        root = self._reader.mapping(document, self._root, SECTIONS)
        tls, http, users, rate = (
            self._reader.mapping(root.get(name), self._root.section(name), keys)
            for name, keys in SECTIONS.items()
        )
        if "http2" in http:
            self._reader.value(BOOLEAN, http["http2"], self._root.key("http_server_config.http2"))
        interval, burst = self._rate_limit(rate, self._root.section("rate_limit"))
        return WebConfig(
            self._tls(tls, self._root.section("tls_server_config")) if tls else None,
            self._headers(http.get("headers"), self._root.section("http_server_config.headers")),
            self._users(users, self._root.section("basic_auth_users")),
            interval,
            burst,
        )

    def _rate_limit(self, section: Mapping[str, Any], location: Location) -> tuple[float, int]:
        interval = self._reader.value(DURATION, section.get("interval", "0"), location.key("interval"))
        burst = self._reader.value(WHOLE_NUMBER, section.get("burst", "0"), location.key("burst"))
        if interval and not burst:
            self._reader.reject(location.key("burst"), "no request would be answered; set it to 1 or more")
        return interval or 0.0, burst or 0

    def _headers(self, raw: Any, location: Location) -> Mapping[str, str]:
        headers = self._reader.mapping(raw, location, HEADERS)
        for name, value in headers.items():
            allowed = HEADERS[name]
            if not isinstance(value, str) or not re.fullmatch("[ -~]*", value):
                self._reader.reject(location.key(name), "expected one line of ASCII")
            elif allowed and value not in allowed:
                self._reader.reject(location.key(name), f"expected {' or '.join(allowed)}")
        return {name: value for name, value in headers.items() if value}

    def _users(self, section: Mapping[str, Any], location: Location) -> Mapping[str, Secret]:
        users = {}
        for name, value in section.items():
            where = location.key(name)
            if not name or ":" in name:
                self._reader.reject(where, "a user name must not be empty or contain a colon")
            match = re.fullmatch(BCRYPT_HASH, value) if isinstance(value, str) else None
            if match is None:
                self._reader.reject(where, "expected a bcrypt hash, such as `htpasswd -nBC 10 USER` prints")
            elif not 4 <= int(match[1]) <= MAX_BCRYPT_COST:
                self._reader.reject(where, f"expected a bcrypt hash with a cost from 4 to {MAX_BCRYPT_COST}")
            else:
                users[name] = Secret(value)
        return users

    def _pem(self, section: Mapping[str, Any], location: Location, key: str, *, required: bool) -> str:
        """The value of ``key``, or the content of the file that ``key_file`` names."""
        where, where_file = location.key(key), location.key(f"{key}_file")
        if key in section and f"{key}_file" in section:
            self._reader.reject(where_file, f"{key} is set too; keep only one of them")
        elif f"{key}_file" in section:
            path = self._reader.value(PATH, section[f"{key}_file"], where_file)
            if path is not None:
                return self._file(
                    os.path.join(os.path.dirname(self._path), path), with_path(where_file, path)
                )
        elif key in section:
            return self._reader.value(TEXT, section[key], where) or ""
        elif required:
            self._reader.reject(where_file, "missing; TLS needs a certificate and its key")
        return ""

    def _client_auth(
        self, section: Mapping[str, Any], location: Location
    ) -> tuple[ssl.VerifyMode, frozenset[str]]:
        """Whether client certificates are verified, and the names of which at least one is required."""
        type_key, sans_key = location.key("client_auth_type"), location.key("client_allowed_sans")
        mode = self._reader.lookup(CLIENT_AUTH, section.get("client_auth_type"), type_key, "NoClientCert")
        sans = self._reader.strings(section.get("client_allowed_sans"), sans_key)
        has_ca = "client_ca" in section or "client_ca_file" in section
        if has_ca and mode == ssl.CERT_NONE:
            self._reader.reject(type_key, "client_ca has no effect without RequireAndVerifyClientCert")
        if mode != ssl.CERT_NONE and not has_ca:
            self._reader.reject(
                location.key("client_ca_file"), "missing; it is needed to verify client certificates"
            )
        if sans and mode != ssl.CERT_REQUIRED:
            self._reader.reject(sans_key, "needs client_auth_type RequireAndVerifyClientCert")
        return mode, frozenset(sans)

    def _curve(self, section: Mapping[str, Any], where: str) -> str:
        """OpenSSL's name of the one curve; empty for the default."""
        curves = self._reader.strings(section.get("curve_preferences"), where)
        if len(curves) > 1:
            self._reader.reject(where, "only one curve can be set; keep one, or none for the default")
        return self._reader.lookup(CURVES, curves[0], where, "X25519") if curves else ""

    def _tls(self, section: Mapping[str, Any], location: Location) -> TlsConfig:
        reader = self._reader
        client_auth, allowed_sans = self._client_auth(section, location)
        min_key, max_key = location.key("min_version"), location.key("max_version")
        min_version = reader.lookup(VERSIONS, section.get("min_version"), min_key, "TLS12")
        max_version = reader.lookup(VERSIONS, section.get("max_version"), max_key, "TLS13")
        if min_version > max_version:
            reader.reject(min_key, "is above max_version")
        known = CIPHERS | dict.fromkeys(TLS13_CIPHERS, "")
        suites_key = location.key("cipher_suites")
        suites = reader.strings(section.get("cipher_suites"), suites_key)
        ciphers = [reader.lookup(known, suite, suites_key, TLS13_CIPHERS[0]) for suite in suites]
        curve = self._curve(section, location.key("curve_preferences"))
        prefers_server = reader.value(
            BOOLEAN,
            section.get("prefer_server_cipher_suites", "true"),
            location.key("prefer_server_cipher_suites"),
        )
        return TlsConfig(
            cert=self._pem(section, location, "cert", required=True),
            key=Secret(self._pem(section, location, "key", required=True)),
            client_ca=self._pem(section, location, "client_ca", required=False),
            client_auth=client_auth,
            allowed_sans=allowed_sans,
            min_version=min_version,
            max_version=max_version,
            ciphers=tuple(filter(None, ciphers)),
            curve=curve,
            prefer_server_ciphers=bool(prefers_server),
        )


def read_web_config(path: str, fingerprints: dict[str, object]) -> WebConfig:
    """Read the file at ``path``.

    Adds to ``fingerprints`` the fingerprint of each file it reads, taken just before, even if the file is
    bad. Raises :class:`ConfigError` with all problems.
    """
    reader = _WebConfigReader(path, fingerprints)
    config = reader.config()
    if reader.problems:
        raise ConfigError(in_file_order(reader.problems, path))
    return config
