"""The types of settings: how a string becomes a value."""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from pf_exporter.config.secrets import parse_secret
from pf_exporter.schema import Temporality

T = TypeVar("T")
E = TypeVar("E", bound=enum.Enum)


@dataclass(frozen=True)
class SettingType(Generic[T]):
    """How a string becomes a value."""

    parse: Callable[[str], T]
    """Raises ValueError with what it expects, never with the string itself."""
    metavar: str
    unit: str = ""
    repeatable: bool = False
    """Whether the value is a list: a repeated flag, a list in the file, commas in a variable."""


_MILLISECONDS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION = re.compile("".join(rf"(?:([0-9]{{1,9}}){unit})?" for unit in _MILLISECONDS))
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def duration(text: str) -> float:
    """Seconds of ``90s``, ``1h30m``, ``500ms``, or of a plain number of seconds; at most 365 days.

    >>> duration("1h30m"), duration("0.5")
    (5400.0, 0.5)
    """
    if _SECONDS.fullmatch(text):
        seconds = float(text)
    elif text and (match := _DURATION.fullmatch(text)):
        amounts = zip(match.groups("0"), _MILLISECONDS.values(), strict=True)
        seconds = sum(int(amount) * milliseconds for amount, milliseconds in amounts) / 1000
    else:
        raise ValueError("expected a duration, such as 90s, 10m, 1h30m or 500ms")
    if seconds > 365 * 86_400:
        raise ValueError("expected a duration of at most 365d")
    return seconds


def min_duration(minimum: str, *, or_off: bool = False) -> SettingType[float]:
    """Durations of at least ``minimum`` and, with ``or_off``, 0."""
    expected = f"expected a duration of at least {minimum}{', or 0 to disable' if or_off else ''}"

    def parse(text: str) -> float:
        seconds = duration(text)
        if seconds < duration(minimum) and not (or_off and seconds == 0):
            raise ValueError(expected)
        return seconds

    return SettingType(parse, "DURATION", "seconds")


def positive_integer(unit: str) -> SettingType[int]:
    """Integers from 1 to 999999999."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
            raise ValueError("expected an integer from 1 to 999999999")
        return int(text)

    return SettingType(parse, "NUMBER", unit)


def matching(pattern: str, metavar: str, expected: str) -> SettingType[str]:
    """Strings that match the whole pattern (ASCII)."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(f"expected {expected}")
        return text

    return SettingType(parse, metavar)


def choice(*values: str) -> SettingType[str]:
    """One of the values."""
    return matching("|".join(values), "|".join(values), f"one of {', '.join(values)}")


def member_of(members: type[E]) -> SettingType[E]:
    """A member of an enumeration whose values are strings, by its value."""
    text = choice(*(member.value for member in members))
    return SettingType(lambda value: members(text.parse(value)), text.metavar)


def list_of(item_type: SettingType[str]) -> SettingType[tuple[str, ...]]:
    """Lists of at least one item, separated by commas; duplicates are dropped."""

    def parse(text: str) -> tuple[str, ...]:
        items: dict[str, None] = {}
        parts = [part.strip() for part in text.split(",") if part.strip()]
        for number, part in enumerate(parts, 1):
            try:
                items[item_type.parse(part)] = None
            except ValueError as exc:
                raise ValueError(f"item {number}: {exc}") from None
        if not items:
            raise ValueError("expected at least one item; omit the setting to use the default")
        return tuple(items)

    return SettingType(parse, item_type.metavar, repeatable=True)


def or_empty(type_: SettingType[str]) -> SettingType[str]:
    """The values of a type, and the empty string."""
    return SettingType(lambda text: type_.parse(text) if text else "", type_.metavar, type_.unit)


def or_zero(type_: SettingType[int]) -> SettingType[int]:
    """The values of a type, and 0."""
    return SettingType(lambda text: 0 if text == "0" else type_.parse(text), type_.metavar, type_.unit)


def _parse_boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("expected true or false")
    return text.lower() == "true"


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _parse_api_url(text: str) -> str:
    url = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        if "[" in parts.netloc or not re.fullmatch(r"[A-Za-z0-9._-]+", host):
            ipaddress.IPv6Address(host)
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("https", "http") or not re.fullmatch(r"[!-~]+", text):
        raise ValueError("expected a URL, such as https://api.packetfabric.com")
    if "@" in parts.netloc or "?" in text or "#" in text or "\\" in text:
        raise ValueError("expected a URL without user, password, query or fragment")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError("http would send the credentials in clear text; use https")
    return url.rstrip("/")


BOOLEAN = SettingType(_parse_boolean, "true|false")
DURATION = min_duration("1ms")
TEMPORALITY = member_of(Temporality)
URL = SettingType(_parse_api_url, "URL")
SECRET = SettingType(parse_secret, "SECRET")
PATH = matching(r"[^\x00-\x1f\ud800-\udfff]+", "PATH", "a path")
NAME = matching("[A-Za-z0-9_.-]{1,64}", "NAME", "1 to 64 letters, digits, dots, hyphens or underscores")
LABEL = matching("(?!__)[A-Za-z_][A-Za-z0-9_]{0,63}", "KEY", "the name of a label, such as env")
UUID = matching("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", "UUID", "a UUID")
ADDRESS = matching(
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*):[0-9]{1,5}", "ADDRESS", "HOST:PORT, [IPV6]:PORT or :PORT"
)
ROUTE = matching(r"(?!/-(/|$))(/\w[\w.~-]*|/-)+", "ROUTE", "a path such as /metrics, but not / or /-/…")
EVENT = matching("[a-z_]+", "EVENT", "the name of an event, such as metrics")
PORT = matching(r"[\w.:-]+", "PORT", "the circuit ID of a port, such as PF-AP-LAX1-1234")
VC = matching(r"[\w.:-]+&[\w.:-]+", "VC&PORT", "the circuit IDs of a VC and of a port, joined by &")
