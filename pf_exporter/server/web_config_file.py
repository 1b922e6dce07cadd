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
from pf_exporter.server.value_reader import ValueReader
from pf_exporter.server.web_config import TlsConfig, WebConfig

MAX_BYTES = 1024 * 1024
"""Size limit of each file."""
MAX_BCRYPT_COST = 16
"""Above this cost checking a password takes longer than a scrape may."""
BCRYPT_HASH = r"\$2[aby]\$([0-3][0-9])\$[./A-Za-z0-9]{53}"
"""A bcrypt hash; the group is its cost."""

HEADERS: Mapping[str, Collection[str]] = {
    "Content-Security-Policy": (),
    "Strict-Transport-Security": (),
    "X-Content-Type-Options": ("nosniff",),
    "X-Frame-Options": ("deny", "sameorigin"),
    "X-XSS-Protection": (),
}
"""The headers the file may add; where values are listed, only those are allowed."""

SECTIONS: Mapping[str, Collection[str]] = {
    "tls_server_config": (
        "cert", "cert_file", "key", "key_file", "client_ca", "client_ca_file", "client_auth_type",
        "client_allowed_sans", "min_version", "max_version", "cipher_suites", "curve_preferences",
        "prefer_server_cipher_suites",
    ),
    "http_server_config": ("http2", "headers"),
    "basic_auth_users": (),
    "rate_limit": ("interval", "burst"),
}  # fmt: skip
"""The keys of each section; empty where any key is allowed."""


def _whole_number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,6}", text):
        raise ValueError("expected a whole number up to 999999")
    return int(text)


class _WebConfigReader(ValueReader):
    def __init__(self, path: str, fingerprints: dict[str, object]) -> None:
        super().__init__(path)
        self._fingerprints = fingerprints

    def _file(self, path: str, where: str) -> str:
        self._fingerprints[path] = fingerprint(path)
        try:
            return read_file(path, MAX_BYTES)[0]
        except ValueError as exc:
            self.problem(where, exc)
            return ""

    def config(self) -> WebConfig:
        """The whole file; not to be used if there are problems."""
        text = self._file(self.path, "")
        root = self.mapping(StrictYaml(text, self.path, self.problems).read(), "", SECTIONS)
        tls, http, _, rate = (self.mapping(root.get(name), name, keys) for name, keys in SECTIONS.items())
        if "http2" in http:
            self.value(BOOLEAN, http["http2"], "http_server_config.http2")
        interval = self.value(SettingType(duration, ""), rate.get("interval", "0"), "rate_limit.interval")
        burst = self.value(SettingType(_whole_number, ""), rate.get("burst", "0"), "rate_limit.burst")
        if interval and not burst:
            self.problem("rate_limit.burst", "no request would be answered; set it to 1 or more")
        return WebConfig(
            self._tls(tls) if tls else None,
            self._headers(http.get("headers")),
            self._users(root.get("basic_auth_users")),
            interval or 0.0,
            burst or 0,
        )

    def _headers(self, raw: Any) -> Mapping[str, str]:
        headers = self.mapping(raw, "http_server_config.headers", HEADERS)
        for name, value in headers.items():
            allowed = HEADERS.get(name, ())
            if not isinstance(value, str) or not re.fullmatch("[ -~]*", value):
                self.problem(f"http_server_config.headers.{name}", "expected one line of ASCII")
            elif allowed and value not in allowed:
                self.problem(f"http_server_config.headers.{name}", f"expected {' or '.join(allowed)}")
        return {name: value for name, value in headers.items() if value}

    def _users(self, raw: Any) -> Mapping[str, Secret]:
        users = {}
        for name, value in self.mapping(raw, "basic_auth_users", ()).items():
            where = f"basic_auth_users.{safe_key(name)}"
            if not name or ":" in name:
                self.problem(where, "a user name must not be empty or contain a colon")
            match = re.fullmatch(BCRYPT_HASH, value) if isinstance(value, str) else None
            if match is None:
                self.problem(where, "expected a bcrypt hash, such as `htpasswd -nBC 10 USER` prints")
            elif not 4 <= int(match[1]) <= MAX_BCRYPT_COST:
                self.problem(where, f"expected a bcrypt hash with a cost from 4 to {MAX_BCRYPT_COST}")
            else:
                users[name] = Secret(value)
        return users

    def _pem(self, section: Mapping[str, Any], key: str, *, required: bool) -> str:
        """The value of ``key``, or the content of the file that ``key_file`` names."""
        where = f"tls_server_config.{key}"
        if key in section and f"{key}_file" in section:
            self.problem(f"{where}_file", f"{key} is set as well; keep one of them")
        elif f"{key}_file" in section:
            path = self.value(PATH, section[f"{key}_file"], f"{where}_file")
            if path is not None:
                return self._file(os.path.join(os.path.dirname(self.path), path), f"{where}_file")
        elif key in section:
            return self.value(SettingType(str, ""), section[key], where) or ""
        elif required:
            self.problem(f"{where}_file", "missing; TLS needs a certificate and its key")
        return ""

    def _client_auth(self, section: Mapping[str, Any]) -> tuple[ssl.VerifyMode, frozenset[str]]:
        """Whether client certificates are verified, and the names of which they must have one."""
        where = "tls_server_config."
        mode = self.one_of(
            CLIENT_AUTH, section.get("client_auth_type"), f"{where}client_auth_type", "NoClientCert"
        )
        sans = self.texts(section.get("client_allowed_sans"), f"{where}client_allowed_sans")
        has_ca = "client_ca" in section or "client_ca_file" in section
        if has_ca and mode == ssl.CERT_NONE:
            self.problem(
                f"{where}client_auth_type", "client_ca has no effect without RequireAndVerifyClientCert"
            )
        if mode != ssl.CERT_NONE and not has_ca:
            self.problem(f"{where}client_ca_file", "missing; it is needed to verify client certificates")
        if sans and mode != ssl.CERT_REQUIRED:
            self.problem(f"{where}client_allowed_sans", "needs client_auth_type RequireAndVerifyClientCert")
        return mode, frozenset(sans)

    def _tls(self, section: Mapping[str, Any]) -> TlsConfig:
        where = "tls_server_config."
        client_auth, allowed_sans = self._client_auth(section)
        min_version = self.one_of(VERSIONS, section.get("min_version"), f"{where}min_version", "TLS12")
        max_version = self.one_of(VERSIONS, section.get("max_version"), f"{where}max_version", "TLS13")
        if min_version > max_version:
            self.problem(f"{where}min_version", "is above max_version")
        known = CIPHERS | dict.fromkeys(TLS13_CIPHERS, "")
        suites = self.texts(section.get("cipher_suites"), f"{where}cipher_suites")
        ciphers = [self.one_of(known, suite, f"{where}cipher_suites", TLS13_CIPHERS[0]) for suite in suites]
        curves = self.texts(section.get("curve_preferences"), f"{where}curve_preferences")
        if len(curves) > 1:
            self.problem(
                f"{where}curve_preferences", "only one curve can be set; keep one, or none for the default"
            )
        curve = self.one_of(CURVES, curves[0], f"{where}curve_preferences", "X25519") if curves else ""
        prefers_server = self.value(
            BOOLEAN,
            section.get("prefer_server_cipher_suites", "true"),
            f"{where}prefer_server_cipher_suites",
        )
        return TlsConfig(
            cert=self._pem(section, "cert", required=True),
            key=Secret(self._pem(section, "key", required=True)),
            client_ca=self._pem(section, "client_ca", required=False),
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
        raise ConfigError(reader.problems)
    return config
