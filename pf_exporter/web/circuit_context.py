"""What the tables of ports and virtual circuits show, as values that are ready to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pf_exporter.web.page_values import Severity


@dataclass(frozen=True)
class Rate:
    """Traffic in one direction."""

    text: str
    share: str
    """The part of the speed, such as ``12%``; empty if the speed is not known."""
    percent: str
    """The length of the bar, at most 100; empty without a bar."""


@dataclass(frozen=True)
class PortEntry:
    """A port."""

    id: str
    name: str
    account: str
    """Empty if there is only one account."""
    state: str
    severity: Severity
    pop: str
    site: str
    speed: str
    lag: str
    """The LAG that it is a member of."""
    receive: Rate
    transmit: Rate
    errors: str
    """Receive and transmit errors."""
    light: str
    """Received and transmitted power in dBm."""
    last_event: str


@dataclass(frozen=True)
class EndEntry:
    """One end of a virtual circuit."""

    side: str
    port: str
    port_name: str
    vlan: str
    receive: Rate
    transmit: Rate
    last_event: str


@dataclass(frozen=True)
class VcEntry:
    """A virtual circuit."""

    id: str
    name: str
    account: str
    state: str
    severity: Severity
    speed: str
    ends: Sequence[EndEntry]


@dataclass(frozen=True)
class TableView:
    """The part of a table that is shown, and how to see the rest."""

    name: str
    """The name of the search parameter, and the anchor."""
    title: str
    note: str
    """Which of them are shown."""
    search: str
    """The search text."""
    search_hint: str
    clear_url: str
    """The page without the search; empty if there is no search."""
    has_focus: bool
    """Whether the search field has the focus."""
    previous_url: str
    next_url: str
