"""What the status page shows, as values that are ready to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pf_exporter.web.circuit_context import PortEntry, TableView, VcEntry
from pf_exporter.web.page_values import Choice, Fact, Moment, Severity
from pf_exporter.web.sending import EndpointEntry


@dataclass(frozen=True)
class ReloadFailure:
    """A configuration that could not be reloaded."""

    name: str
    """What was read, such as ``web configuration``."""
    problems: Sequence[str]


@dataclass(frozen=True)
class ErrorEntry:
    """An error of an account, which may have happened several times."""

    part: str
    """The part of the exporter that failed, such as ``stream``."""
    message: str
    """The logged message."""
    reason: str
    remedy: str
    first: Moment
    last: Moment
    count: int


@dataclass(frozen=True)
class Problem:
    """What is wrong with an account now."""

    error: ErrorEntry
    next_attempt: Moment | None


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
    """An account: its state, problems, credential, stream and events."""

    name: str
    state: str
    severity: Severity
    since: Moment
    problems: Sequence[Problem]
    facts: Sequence[Fact]
    errors: Sequence[ErrorEntry]
    """The latest first, without the current problems."""
    events: Sequence[EventEntry]


@dataclass(frozen=True)
class MaintenanceEntry:
    """A maintenance of PacketFabric that is in progress or to come."""

    account: str
    """Empty if there is only one account."""
    title: str
    """Its type, and PacketFabric's key."""
    state: str
    severity: Severity
    start: Moment | None
    end: Moment | None
    local: str
    """Start and end in the local time of this machine; empty if that is UTC."""
    affected: str
    """How many circuits of each kind it affects."""
    circuits: Sequence[str]
    """The IDs of some of them."""


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
class RateEntry:
    """The unit of the rates of bytes or packets in an event."""

    account: str
    event: str
    quantity: str
    unit: str
    evidence: str
    advice: str
    """Whether the setting matches, and what to do if not."""


@dataclass(frozen=True)
class SettingEntry:
    """A setting in force."""

    key: str
    value: str


@dataclass(frozen=True)
class Folding:
    """A part of the page that can be collapsed."""

    name: str
    is_open: bool


@dataclass(frozen=True)
class StatusContext:
    """The whole page."""

    title: str
    """The overall state, for the browser's tab."""
    version: str
    telemetry_path: str
    refresh_seconds: int
    """0 if the page is not refreshed."""
    refresh_choices: Sequence[Choice]
    hidden: Sequence[tuple[str, str]]
    """The parameters that every control of the page keeps."""
    rendered_at: Moment
    summary: Sequence[Fact]
    """Accounts, ports and virtual circuits by state."""
    reload_failures: Sequence[ReloadFailure]
    accounts: Sequence[AccountStatus]
    """Those that do not stream first."""
    more_accounts: Sequence[Fact]
    """The names and states of accounts that are not shown in full."""
    maintenance: Sequence[MaintenanceEntry]
    """Empty while nothing is known."""
    endpoints: Sequence[EndpointEntry]
    """Of remote write; empty if it is off."""
    ports_view: TableView
    ports: Sequence[PortEntry]
    vcs_view: TableView
    vcs: Sequence[VcEntry]
    unknown_fields: Sequence[str]
    temporality: Sequence[TemporalityEntry]
    rates: Sequence[RateEntry]
    settings: Sequence[SettingEntry]
    events_folding: Folding
    configuration_folding: Folding
