"""Are an event's counts totals or differences? Judged by how they change.

A total never falls, unless it begins anew at zero, and then once. A difference falls about as often as it
rises, whatever it counts: between two rises of a series there is a fall, unless it keeps growing.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from pf_exporter.config import CounterSettings
from pf_exporter.schema import EVENTS, EventType, Numbers

# A change is an event in which counts changed that had changed on that port before: the first change of a
# count is a rise either way, if it was zero, and an incident lets it happen on all ports at once.
MIN_CHANGES_PER_PORT = 5
"""Changes of a port from which on it is heard: where its router begins anew, and with it all its other ports,
that is one fall in five at most."""
MIN_CHANGES = 20
"""Changes of all ports that are heard. Of so many differences in a row 10 fall, give or take 1.3, if nothing
but chance is in them."""
CUMULATIVE_MAX_DROPS, DELTA_MIN_DROPS = 0.1, 1 / 3
"""Up to this part of them may fall if they are totals, and from this part on they are differences; between
the two nothing is said."""
FIRM = 1000
"""Changes after which nobody looks any more, if the answer is known."""


@dataclass(frozen=True)
class Verdict:
    """What an event's counts seem to be, and why."""

    event: str
    """``port|errors``, as the stream spells it."""
    setting: str
    """The key of the setting that says what they are: ``counters.port_errors``."""
    kind: Literal["cumulative", "delta"] | None
    """The value that fits; None while nothing can be said."""
    evidence: str
    """One sentence for a person."""

    def fits(self, configured: str) -> bool:
        """Whether a configured value may be right, for all that is known."""
        return self.kind is None or self.kind == configured


class _Port:
    """What is remembered of one port."""

    __slots__ = ("changes", "falls", "last", "moved")

    def __init__(self, values: Numbers) -> None:
        self.last = values
        self.moved = 0
        """The fields that have changed, a bit each."""
        self.changes = 0
        self.falls = 0


def _times(number: int, one: str) -> str:
    return f"{number or 'no'} {one}{'s' * (number != 1)}"


class _EventTemporality:
    """The counts of one event."""

    def __init__(self, event: str, setting: str, ports: int) -> None:
        self._event = event
        self._setting = setting
        self._limit = ports
        self._ports: dict[tuple[str, ...], _Port] = {}
        self._fields = 0
        self._changes = 0
        self._final: Verdict | None = None

    @property
    def is_final(self) -> bool:
        return self._final is not None

    def saw(self, circuit: tuple[str, ...], values: Numbers) -> None:
        port = self._ports.get(circuit)
        if port is None:
            if len(self._ports) < self._limit:
                self._ports[circuit] = _Port(values)
            return
        before = port.last
        if values == before:
            return
        port.last = values
        moved = fell = 0
        for index, (old, new) in enumerate(zip(before, values, strict=False)):
            if old is not None and new is not None and old != new:
                moved |= 1 << index
                if new < old:
                    fell |= 1 << index
        again = moved & port.moved
        port.moved |= moved
        if again:
            port.changes += 1
            port.falls += fell & again != 0
            self._fields |= again
            self._changes += 1
            if self._changes % FIRM == 0:
                verdict = self.verdict()
                if verdict.kind is not None:
                    self._final = verdict
                    self._ports = {}

    def verdict(self) -> Verdict:
        if self._final is not None:
            return self._final
        heard = [port for port in list(self._ports.values()) if port.changes >= MIN_CHANGES_PER_PORT]
        changes = sum(port.changes for port in heard)
        falls = sum(port.falls for port in heard)
        kind: Literal["cumulative", "delta"] | None = None
        if changes >= MIN_CHANGES:
            kind = (
                "cumulative"
                if falls <= CUMULATIVE_MAX_DROPS * changes
                else "delta"
                if falls >= DELTA_MIN_DROPS * changes
                else None
            )
        return Verdict(self._event, self._setting, kind, self._evidence(len(heard), changes, falls))

    def _evidence(self, heard: int, changes: int, falls: int) -> str:
        if not self._ports:
            return "No port has been seen yet."
        if not self._changes:
            return f"No count has changed twice yet on {_times(len(self._ports), 'port')}."
        if changes < MIN_CHANGES:
            return (
                f"Counts have changed again {_times(self._changes, 'time')} on"
                f" {_times(len(self._ports), 'port')}; it takes {MIN_CHANGES} times on ports"
                f" with {MIN_CHANGES_PER_PORT} or more."
            )
        count = _times(self._fields.bit_count(), "field")
        rose = changes - falls
        return (
            f"In {changes} changes of {count} on {_times(heard, 'port')},"
            f" {rose or 'none'} rose and {falls or 'none'} fell."
        )


_SETTINGS = {row.name: f"counters.{row.name}" for row in fields(CounterSettings)}
JUDGED = {name: setting for name in EVENTS if (setting := _SETTINGS.get(name.replace("|", "_")))}
"""By event the setting that says what its counts are."""


class TemporalityDetector:
    """Watches counts that can be either, as a setting says, of ``circuits`` ports for each event at most.

    One thread tells it what it sees, any thread may ask. Each account has one of its own.
    """

    def __init__(self, circuits: int = 100) -> None:
        self._cases = {
            event: _EventTemporality(event, setting, circuits) for event, setting in JUDGED.items()
        }
        self.watched = set(self._cases)
        """The events to tell of; those whose verdict is final are not among them."""

    def saw(self, event: EventType, circuit: tuple[str, ...], values: Numbers) -> None:
        """An event brought these numbers, newer than those before. What is not watched is ignored."""
        if event.name in self.watched:
            case = self._cases[event.name]
            case.saw(circuit, values)
            if case.is_final:
                self.watched.discard(event.name)

    def verdict(self, event: str) -> Verdict:
        """What the counts of ``port|errors`` or ``port|etherstats`` seem to be; no other event is known."""
        return self._cases[event].verdict()

    def verdicts(self) -> tuple[Verdict, ...]:
        """Of every event that has a setting, in the order of the table."""
        return tuple(case.verdict() for case in self._cases.values())
