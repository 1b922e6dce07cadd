"""The types of settings: how a string becomes a value, and a value a string."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from pf_exporter.config.addresses import parse_api_url, parse_listen_address, parse_proxy_address
from pf_exporter.config.key_names import closest_name
from pf_exporter.config.quantities import duration, format_duration, format_size, size
from pf_exporter.config.secrets import Secret, parse_secret
from pf_exporter.config.time_zones import time_zone
from pf_exporter.schema import RateUnit, Temporality

T = TypeVar("T")
E = TypeVar("E", bound=enum.Enum)


@dataclass(frozen=True)
class SettingType(Generic[T]):
    """How a string becomes a value, and a value a string."""

    parse: Callable[[str], T]
    """Raises ValueError that states the expected form, never the string itself."""
    metavar: str
    format: Callable[[T], str] = str
    """The text that parses to a value, as a user would enter it."""
    minimum: str = ""
    """The smallest value other than 0, as a user would enter it; empty if there is no minimum."""
    repeatable: bool = False
    """Whether the value is a list: a repeated flag, a list in the file, commas in a variable."""


def duration_from(minimum: str, *, or_off: bool = False) -> SettingType[float]:
    """Durations of at least ``minimum`` and, with ``or_off``, 0."""
    expected = f"expected a duration of at least {minimum}{', or 0 to disable' if or_off else ''}"

    def parse(text: str) -> float:
        seconds = duration(text)
        if seconds < duration(minimum) and not (or_off and seconds == 0):
            raise ValueError(expected)
        return seconds

    return SettingType(parse, "DURATION", format_duration, minimum)


def size_from(minimum: str) -> SettingType[int]:
    """Sizes of at least ``minimum``, in bytes."""

    def parse(text: str) -> int:
        number = size(text)
        if number < size(minimum):
            raise ValueError(f"expected a size of at least {minimum}")
        return number

    return SettingType(parse, "SIZE", format_size, minimum)


def integer_from(minimum: int) -> SettingType[int]:
    """Integers from ``minimum`` to 999999999."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"0|[1-9][0-9]{0,8}", text) or int(text) < minimum:
            raise ValueError(f"expected an integer from {minimum} to 999999999")
        return int(text)

    return SettingType(parse, "NUMBER")


def matching(pattern: str, metavar: str, expected: str) -> SettingType[str]:
    """Strings that match the whole pattern (ASCII)."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(f"expected {expected}")
        return text

    return SettingType(parse, metavar)


def choice(*values: str) -> SettingType[str]:
    """One of the values."""

    def parse(text: str) -> str:
        if text in values:
            return text
        hint = f"; did you mean {close}?" if (close := closest_name(text, values)) else ""
        raise ValueError(f"expected one of {', '.join(values)}{hint}")

    return SettingType(parse, "|".join(values))


def member_of(members: type[E]) -> SettingType[E]:
    """A member of an enumeration whose values are strings, by its value."""
    text = choice(*(member.value for member in members))
    return SettingType(lambda value: members(text.parse(value)), text.metavar)


def list_of(item_type: SettingType[str]) -> SettingType[tuple[str, ...]]:
    """Lists of at least one item, separated by commas; duplicates are dropped."""

    def parse(text: str) -> tuple[str, ...]:
        items: dict[str, None] = {}
        parts = [part.strip() for part in text.split(",") if part.strip()]
        problems = []
        for number, part in enumerate(parts, 1):
            try:
                items[item_type.parse(part)] = None
            except ValueError as exc:
                problems.append(f"item {number}: {exc}" if len(parts) > 1 else str(exc))
        if problems:
            raise ValueError("; ".join(problems))
        if not items:
            raise ValueError("expected at least one item; omit the setting to use the default")
        return tuple(items)

    return SettingType(parse, item_type.metavar, ",".join, repeatable=True)


def or_empty(type_: SettingType[str]) -> SettingType[str]:
    """The values of a type, and the empty string."""
    return SettingType(lambda text: type_.parse(text) if text else "", type_.metavar)


def _parse_boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("expected true or false")
    return text.lower() == "true"


def parse_proxy_setting(text: str) -> Secret:
    """The URL of a proxy; a password is accepted only in a file."""
    if "@" in text:
        raise ValueError(
            "expected a URL without user and password; put it into a file, and set proxy_url_file"
        )
    parse_proxy_address(text)
    return parse_secret(text)


def _parse_zone(text: str) -> str:
    time_zone(text)
    return text


def _parse_log_level(text: str) -> str:
    level = text.lower()
    return _LOG_LEVEL.parse("warn" if level == "warning" else level)


BOOLEAN = SettingType(_parse_boolean, "true|false", lambda value: str(value).lower())
TEMPORALITY = member_of(Temporality)
RATE_UNIT = member_of(RateUnit)
ZONE = SettingType(_parse_zone, "ZONE")
URL = SettingType(parse_api_url, "URL")
NO_PROXY = matching(r"[!-+\--~]+", "HOST", "a host, a domain, an address or a network")
PROXY_URL = SettingType(parse_proxy_setting, "URL")
SECRET = SettingType(parse_secret, "SECRET")
_LOG_LEVEL = choice("debug", "info", "warn", "error")
LOG_LEVEL = SettingType(_parse_log_level, _LOG_LEVEL.metavar)
PATH = matching(r"[^\x00-\x1f\ud800-\udfff]+", "PATH", "a path")
NAME = matching("[A-Za-z0-9_.-]{1,64}", "NAME", "1 to 64 letters, digits, dots, hyphens or underscores")
LABEL = matching("(?!__)[A-Za-z_][A-Za-z0-9_]{0,63}", "KEY", "the name of a label, such as env")
UUID = matching("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", "UUID", "a UUID")
ADDRESS = SettingType(parse_listen_address, "ADDRESS")
ROUTE = matching(r"(?!/-(/|$))(/\w[\w.~-]*|/-)+", "ROUTE", "a path such as /metrics, but not / or /-/…")
EVENT = matching("[a-z_]+", "EVENT", "the name of an event, such as metrics")
PORT = matching(r"[\w.:-]+", "PORT", "the circuit ID of a port, such as PF-AP-LAX1-1234")
VC = matching(r"[\w.:-]+&[\w.:-]+", "VC&PORT", "the circuit IDs of a VC and of a port, joined by &")
