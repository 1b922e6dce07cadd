"""What the status page shows, as values that are ready to print."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass


class Severity(str, enum.Enum):
    """How good a state is; also its CSS class."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class Moment:
    """A point in time in UTC."""

    text: str
    iso: str
    age: str
    """The time since then, such as ``3 min``."""


@dataclass(frozen=True)
class ReloadFailure:
    """A configuration that could not be reloaded."""

    name: str
    """What was read, such as ``web configuration``."""
    problems: Sequence[str]


@dataclass(frozen=True)
class ErrorEntry:
    """An error of an account's stream."""

    at: Moment
    reason: str
    summary: str
    remedy: str


@dataclass(frozen=True)
class EventEntry:
    """An event name, and how often it came."""

    name: str
    rate: str
    """Per second, over about the last minute."""
    total: str
    last_usable: str


@dataclass(frozen=True)
class AccountStatus:
    """An account's stream: its state, errors and events."""

    name: str
    state: str
    severity: Severity
    since: Moment
    last_event: Moment | None
    lag: str
    session_expires: str
    subscription: str
    streams_opened: int
    gap: str
    """Time without a stream, in total."""
    errors: Sequence[ErrorEntry]
    """The latest first."""
    events: Sequence[EventEntry]


@dataclass(frozen=True)
class Utilization:
    """Traffic as part of a port's speed."""

    percent: str
    """At most 100, for the length of a bar."""
    text: str


@dataclass(frozen=True)
class CircuitEntry:
    """A circuit and its traffic."""

    id: str
    account: str
    receive: str
    transmit: str
    utilization: Utilization | None
    optics: str
    """Received and transmitted power in dBm."""
    age: str
    """The time since the last sample."""


@dataclass(frozen=True)
class CircuitTable:
    """Circuits of one kind."""

    title: str
    note: str
    """How many there are, and which of them are shown."""
    has_optics: bool
    rows: Sequence[CircuitEntry]


@dataclass(frozen=True)
class TemporalityEntry:
    """Whether the counts of an event look cumulative or like deltas."""

    account: str
    event: str
    temporality: str
    evidence: str
    advice: str
    """Whether the setting matches, and what to set if not."""


@dataclass(frozen=True)
class SettingEntry:
    """A setting in force."""

    key: str
    value: str


@dataclass(frozen=True)
class StatusContext:
    """The whole page."""

    title: str
    """The overall state, for the browser's tab."""
    version: str
    telemetry_path: str
    refresh_seconds: int
    rendered_at: Moment
    reload_failures: Sequence[ReloadFailure]
    accounts: Sequence[AccountStatus]
    """Those that do not stream first."""
    circuit_tables: Sequence[CircuitTable]
    unknown_fields: Sequence[str]
    temporality: Sequence[TemporalityEntry]
    settings: Sequence[SettingEntry]
