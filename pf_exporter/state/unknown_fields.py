"""Events and fields that PacketFabric sends but does not document, with a sample of each."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from pf_exporter.schema import sanitize_label

MAX_FIELDS = 100
"""Most events and fields that are kept: their names come from outside, in any number."""
MAX_NAME = 64
"""Characters of a name that are kept."""
MAX_KEYS = 20
"""Most keys of an object that its description lists."""


class UnknownField(NamedTuple):
    """An event, or a field of an event, that the schema does not list."""

    event: str
    field: str
    """Empty if the event itself is unknown."""
    type: str
    """Description of the first value, without any of its text."""
    seen: int

    def __str__(self) -> str:
        what = f"field {self.field} of {self.event}" if self.field else f"event {self.event}"
        return f"{what}: {self.type}; seen {self.seen:,} {'time' if self.seen == 1 else 'times'}"


def describe_type(value: object) -> str:
    """Describe a JSON value without its text, which may be personal data.

    >>> describe_type(1.5), describe_type("Ada"), describe_type([1]), describe_type(None)
    ('a number such as 1.5', 'a string of length 3', 'a list of length 1', 'null')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return f"a number such as {value:.6g}" if abs(value) < 1e300 else "a number"
    if isinstance(value, str):
        return f"a string of length {len(value)}"
    if isinstance(value, list):
        return f"a list of length {len(value)}"
    keys = ", ".join(sorted(map(_safe_name, value))[:MAX_KEYS]) if isinstance(value, dict) else ""
    return f"an object with the keys {keys}" if keys else "an object without keys"


def _safe_name(text: str) -> str:
    return sanitize_label(text[:MAX_NAME]) or "(no name)"


def _parse(data: str) -> object:
    try:
        return msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return data


class UnknownFields:
    """Counts one account's unknown events and fields by name; any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[tuple[str, str], UnknownField] = {}

    def add_event(self, name: str, data: str) -> None:
        """Count an event with an unknown name; ``data`` is its JSON text."""
        self._count(name, None, data)

    def add_fields(self, event: str, names: Iterable[str], data: str) -> None:
        """Count unknown fields of an event; ``data`` is the event's JSON text."""
        for name in names:
            self._count(event, name, data)

    def _count(self, event: str, field: str | None, data: str) -> None:
        """Count a field, or the event itself if ``field`` is None."""
        key = (_safe_name(event), "" if field is None else _safe_name(field))
        with self._lock:
            found = self._found.get(key)
            if found is not None:
                self._found[key] = found._replace(seen=found.seen + 1)
            elif len(self._found) < MAX_FIELDS:
                value = _parse(data)
                if field is not None:
                    value = value.get(field) if isinstance(value, dict) else None
                self._found[key] = UnknownField(*key, describe_type(value), 1)

    def snapshot(self) -> list[UnknownField]:
        """Return a copy of what was found, sorted by name."""
        with self._lock:
            return sorted(self._found.values())
