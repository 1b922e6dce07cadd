"""Small values of which the status page consists."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(str, enum.Enum):
    """How good a state is; also its CSS class."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    NEUTRAL = "neutral"

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class Moment:
    """A point in time in UTC."""

    text: str
    iso: str
    age: str
    """The time since then, or until then, such as ``3 min``."""


@dataclass(frozen=True)
class Choice:
    """A value that can be chosen."""

    text: str
    value: str
    is_chosen: bool


@dataclass(frozen=True)
class Fact:
    """A term and its value."""

    term: str
    value: str
    note: str = ""
    severity: Severity | None = None
