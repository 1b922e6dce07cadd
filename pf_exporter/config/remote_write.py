"""The settings of an endpoint of remote write, and the keys of an entry under ``remote_write``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pf_exporter.config.setting import setting
from pf_exporter.config.types import (
    LABEL,
    NAME,
    PATH,
    SettingType,
    choice,
    duration_from,
    list_of,
    matching,
    or_empty,
    parse_proxy_setting,
    size_from,
)

Pairs = tuple[tuple[str, str], ...]

SENT = ("stream", "own", "inventory")
"""What can be sent: the events, the exporter's own metrics, and the polled ones."""

_TEXT = matching(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,256}", "TEXT", "1 to 256 printable characters")
_HEADER = matching(
    r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}", "NAME", "the name of an HTTP header, such as X-Scope-OrgID"
)
_HOST = matching(r"[A-Za-z0-9._:-]{1,253}", "HOST", "a host name")
_RESERVED_HEADERS = re.compile(r"(?i)(content-.*|host|user-agent|transfer-encoding|x-prometheus-.*)")


def pairs_text(pairs: Iterable[tuple[str, str]]) -> str:
    """Return pairs as the text that :func:`pairs_of` parses."""
    return ",".join(f"{key}={value}".replace(",", "\\,") for key, value in pairs)


def pairs_of(name: SettingType[str], value: SettingType[str]) -> SettingType[Pairs]:
    """``NAME=VALUE`` pairs, separated by commas; a comma in a value is written as ``\\,``."""

    def parse(text: str) -> Pairs:
        pairs: dict[str, str] = {}
        for item in re.split(r"(?<!\\),", text) if text else ():
            key, separator, rest = item.replace("\\,", ",").partition("=")
            if not separator:
                raise ValueError(f"expected {name.metavar}=VALUE")
            pairs[name.parse(key.strip())] = value.parse(rest)
        return tuple(pairs.items())

    return SettingType(parse, f"{name.metavar}=VALUE", pairs_text, repeatable=True)


def _parse_header(text: str) -> str:
    name = _HEADER.parse(text)
    if _RESERVED_HEADERS.fullmatch(name):
        raise ValueError("expected none of the headers that the exporter sets itself")
    return name


def _parse_plain_header(text: str) -> str:
    name = _parse_header(text)
    if name.lower() in ("authorization", "proxy-authorization", "cookie"):
        raise ValueError("expected no header with credentials; put its value into a file, see header_files")
    return name


def _parse_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
        host.encode("idna")  # raises UnicodeError, a ValueError, for an empty label or a long one
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https") or not re.fullmatch(r"[!-~]+", text):
        raise ValueError("expected a URL, such as https://prometheus.example.com/api/v1/write")
    if "@" in parts.netloc or "#" in text:
        raise ValueError("expected a URL without user, password or fragment")
    return text


HEADERS = pairs_of(SettingType(_parse_plain_header, "NAME"), _TEXT)
HEADER_FILES = pairs_of(SettingType(_parse_header, "NAME"), PATH)
EXTERNAL_LABELS = pairs_of(SettingType(LABEL.parse, "LABEL"), _TEXT)
_FILE = or_empty(PATH)


@dataclass(frozen=True)
class RemoteWriteSettings:
    """One endpoint that receives every event as samples; off without ``url``. ``max_age`` is in seconds."""

    name: str = setting(NAME, "default", "Value of the `endpoint` label; must be unique.")
    url: str = setting(
        or_empty(SettingType(_parse_url, "URL")), "", "URL of a remote write receiver; empty disables it."
    )
    username: str = setting(or_empty(_TEXT), "", "User name for basic authentication.")
    password_file: str = setting(_FILE, "", "File that contains the password of the user.")
    bearer_token_file: str = setting(_FILE, "", "File that contains a bearer token.")
    headers: Pairs = setting(HEADERS, "", "HTTP headers to add, such as X-Scope-OrgID=tenant.")
    header_files: Pairs = setting(
        HEADER_FILES, "", "HTTP headers to add whose values are secrets, each with the file of its value."
    )
    ca_file: str = setting(_FILE, "", "CA certificates (PEM) to trust instead of the system's.")
    cert_file: str = setting(_FILE, "", "Client certificate (PEM) to present.")
    key_file: str = setting(_FILE, "", "Private key (PEM) of the client certificate.")
    server_name: str = setting(
        or_empty(_HOST), "", "Name that the certificate must have, instead of the host of the URL."
    )
    proxy_url: str = setting(
        or_empty(SettingType(lambda text: parse_proxy_setting(text).reveal(), "URL")),
        "",
        "HTTP proxy to reach the receiver through, without user and password.",
    )
    proxy_url_file: str = setting(
        _FILE, "", "File that contains the URL of the proxy, such as http://USER:PASSWORD@HOST:PORT."
    )
    queue_bytes: int = setting(
        size_from("1MiB"), "64MiB", "Memory for samples that wait; the oldest are dropped when it is full."
    )
    spool_path: str = setting(
        _FILE, "", "Directory to keep samples in until they are sent, so that a restart loses none."
    )
    spool_bytes: int = setting(
        size_from("16MiB"),
        "1GiB",
        "Maximum size of the spool; the oldest samples are dropped when it is full.",
    )
    max_age: float = setting(duration_from("1m"), "2h", "Drop samples that are older than this.")
    job: str = setting(_TEXT, "packetfabric", "Value of the `job` label.")
    instance: str = setting(
        or_empty(_TEXT),
        "",
        "Value of the `instance` label; empty for the host name and the port of the pages.",
    )
    external_labels: Pairs = setting(
        EXTERNAL_LABELS, "", "Labels to add to series that do not have them, such as replica=a."
    )
    send: tuple[str, ...] = setting(
        list_of(choice(*SENT)), ",".join(SENT), "What to send: events, the exporter's own and polled metrics."
    )


GROUPS: Mapping[str, Mapping[str, str]] = {
    "basic_auth": {"username": "username", "password_file": "password_file"},
    "authorization": {"credentials_file": "bearer_token_file"},
    "tls": {name: name for name in ("ca_file", "cert_file", "key_file", "server_name")},
    "queue": {"bytes": "queue_bytes"},
    "spool": {"path": "spool_path", "bytes": "spool_bytes"},
}
"""Keys of the file that group others, as in Prometheus: the setting by its name in the group."""

FILE_KEYS = (
    "password_file",
    "bearer_token_file",
    "ca_file",
    "cert_file",
    "key_file",
    "proxy_url_file",
    "spool_path",
)
"""The keys that hold a path."""
