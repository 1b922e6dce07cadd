"""How text becomes a value: the kinds of settings there are."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from pf_exporter.config.secrets import parse_secret

T = TypeVar("T")


@dataclass(frozen=True)
class SettingType(Generic[T]):
    """How text becomes a value; ``parse`` raises ValueError with what it expected, never with the text."""

    parse: Callable[[str], T]
    metavar: str
    unit: str = ""
    repeatable: bool = False
    """Whether a list is meant: several flags, a list in the file, commas in a variable."""


def duration(text: str) -> float:
    """Seconds in ``90s``, ``1h30m``, ``500ms``, or a plain number, which is seconds; at most 365 days.

    >>> duration("1h30m"), duration("0.5")
    (5400.0, 0.5)
    """
    units = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
    parts = "".join(rf"(?:([0-9]{{1,9}}){unit})?" for unit in units)
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        seconds = float(text)
    elif text and (match := re.fullmatch(parts, text)):
        amounts = zip(match.groups("0"), units.values(), strict=True)
        seconds = sum(int(amount) * unit for amount, unit in amounts) / 1000
    else:
        raise ValueError("expected a duration, such as 90s, 10m, 1h30m or 500ms")
    if seconds > 365 * 86_400:
        raise ValueError("expected a duration of at most 365d")
    return seconds


def min_duration(at_least: str, *, or_off: bool = False) -> SettingType[float]:
    """Durations from ``at_least`` up and, with ``or_off``, 0."""

    def parse(text: str) -> float:
        seconds = duration(text)
        if seconds < duration(at_least) and not (or_off and seconds == 0):
            raise ValueError(f"expected a duration of at least {at_least}{', or 0 for off' * or_off}")
        return seconds

    return SettingType(parse, "DURATION", "seconds")


def whole(unit: str) -> SettingType[int]:
    """Whole numbers from 1 up."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
            raise ValueError("expected a whole number from 1 to 999999999")
        return int(text)

    return SettingType(parse, "NUMBER", unit)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("expected true or false")
    return text.lower() == "true"


def choice(*words: str) -> SettingType[str]:
    """One of the words."""
    return matching("|".join(words), "|".join(words), f"one of {', '.join(words)}")


def matching(pattern: str, metavar: str, expected: str) -> SettingType[str]:
    """Text that all of the pattern (ASCII) fits."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(f"expected {expected}")
        return text

    return SettingType(parse, metavar)


def list_of(kind: SettingType[str]) -> SettingType[tuple[str, ...]]:
    """A list of them, at least one, each once."""

    def parse(text: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        items = [item.strip() for item in text.split(",") if item.strip()]
        for number, item in enumerate(items, 1):
            try:
                found[kind.parse(item)] = None
            except ValueError as exc:
                raise ValueError(f"item {number}: {exc}") from None
        if not found:
            raise ValueError("expected at least one; leave it out for the default")
        return tuple(found)

    return SettingType(parse, kind.metavar, repeatable=True)


def _api_url(text: str) -> str:
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
    if parts.scheme == "http" and not _loopback(host):
        raise ValueError("http would send the credentials in clear; use https")
    return url.rstrip("/")


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


BOOLEAN = SettingType(_boolean, "true|false")
DURATION = min_duration("1ms")
COUNTERS = choice("cumulative", "delta")
URL = SettingType(_api_url, "URL")
SECRET = SettingType(parse_secret, "SECRET")
PATH = matching(r"[^\x00-\x1f\ud800-\udfff]+", "PATH", "a path")
NAME = matching("[A-Za-z0-9_.-]{1,64}", "NAME", "1 to 64 letters, digits, dots, - or _")
UUID = matching("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", "UUID", "a UUID")
ADDRESS = matching(
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*):[0-9]{1,5}", "ADDRESS", "HOST:PORT, [IPV6]:PORT or :PORT"
)
ROUTE = matching(r"(?!/-(/|$))(/\w[\w.~-]*|/-)+", "ROUTE", "a path such as /metrics, but not / or /-/…")
EVENT = matching("[a-z_]+", "EVENT", "the name of an event, such as metrics")
PORT = matching(r"[\w.:-]+", "PORT", "a port's circuit ID, such as PF-AP-LAX1-1234")
VC = matching(r"[\w.:-]+&[\w.:-]+", "VC&PORT", "the IDs of a circuit and of a port, with one & between")
