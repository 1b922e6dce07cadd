"""What the provider sends that nobody has documented, one sample of each: the beginning of a report."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from pf_exporter.schema import sanitize_label

LIMIT = 100
"""Most novelties that are remembered: names come from outside, and there is no end of them."""
LONGEST = 64
"""Characters of a name that are kept."""


class UnknownField(NamedTuple):
    """An event, or a field of one, that the table does not know."""

    event: str
    field: str
    """Empty where the event itself is new."""
    type: str
    """What it looked like the first time, without a word of its text."""
    times: int

    def __str__(self) -> str:
        what = f"field {self.field} of {self.event}" if self.field else f"event {self.event}"
        return f"{what}: {self.type}; seen so far: {self.times:,}"


def describe_type(value: object) -> str:
    """What a JSON value looks like; of texts, which may be personal, only the length.

    >>> describe_type(1.5), describe_type("Ada"), describe_type([1]), describe_type(None)
    ('a number such as 1.5', 'a text of 3 characters', 'a list of 1', 'null')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return f"a number such as {value:.6g}" if abs(value) < 1e300 else "a number"
    if isinstance(value, str):
        return f"a text of {len(value)} characters"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    keys = ", ".join(sorted(map(_name, value))[:20]) if isinstance(value, dict) else ""
    return f"an object with {keys or 'no keys'}"


def _name(text: str) -> str:
    return sanitize_label(text[:LONGEST]) or "(no name)"


def _read(data: str) -> object:
    try:
        return msgspec.json.decode(data)
    except (ValueError, RecursionError):
        return data


class UnknownFields:
    """Counts them by name, for one account; any thread may read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], UnknownField] = {}

    def event(self, name: str, data: str) -> None:
        """An event of a name that is none of ours came."""
        self._count(name, "", data, whole=True)

    def fields(self, event: str, names: Iterable[str], data: str) -> None:
        """An event brought fields that the table does not have."""
        for name in names:
            self._count(event, name, data, whole=False)

    def _count(self, event: str, field: str, data: str, *, whole: bool) -> None:
        key = (_name(event), _name(field) if field or not whole else "")
        with self._lock:
            held = self._known.get(key)
            if held is not None:
                self._known[key] = held._replace(times=held.times + 1)
            elif len(self._known) < LIMIT:
                value = _read(data)
                if not whole:
                    value = value.get(field) if isinstance(value, dict) else None
                self._known[key] = UnknownField(*key, describe_type(value), 1)

    def found(self) -> list[UnknownField]:
        """All of them, by name."""
        with self._lock:
            return sorted(self._known.values())
