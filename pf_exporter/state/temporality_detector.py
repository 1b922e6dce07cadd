"""Detects whether an event's counters are cumulative or delta, as OpenTelemetry calls their temporality.

A cumulative counter decreases only when it restarts from zero. A delta decreases about as often as it
increases: between two increases there is a decrease, unless the deltas keep growing.
"""

from __future__ import annotations

from dataclasses import fields
from typing import NamedTuple

from pf_exporter.config import CounterSettings
from pf_exporter.schema import EVENTS, EventType, Numbers, Temporality

# A change is an event in which a field differs that has differed on that port before. The first difference of
# a field is not counted: it is usually a rise from zero either way, and one incident causes it on every port.
MIN_CHANGES_PER_PORT = 5
"""Changes after which a port is counted. A router's restart decreases the counters of all its ports at once,
so that at most one change in five is a decrease because of it."""
MIN_CHANGES = 20
"""Changes of all counted ports needed for a result. Of 20 random deltas, 10 ± 1.3 decrease."""
CUMULATIVE_MAX_DROPS = 0.1
"""Counters are cumulative if at most this share of the changes are decreases."""
DELTA_MIN_DROPS = 1 / 3
"""Counters are deltas if at least this share of the changes are decreases; in between there is no result."""
FINAL_CHANGES = 1000
"""Changes after which a result is final and the event is no longer observed."""


class DetectedTemporality(NamedTuple):
    """The temporality of one event's counters, and the evidence for it."""

    event: str
    """Name in the stream, such as ``port|errors``."""
    setting: str
    """Key of the setting that declares the temporality, such as ``counters.port_errors``."""
    temporality: Temporality | None
    """None as long as there is no result."""
    evidence: str
    """One sentence for the user."""

    def agrees_with(self, configured: Temporality) -> bool:
        """Return whether the setting's value is not contradicted."""
        return self.temporality in (None, configured)


class _Port:
    """The last values of one port, and how often they changed."""

    __slots__ = ("changed_fields", "changes", "drops", "last")

    def __init__(self, values: Numbers) -> None:
        self.last = values
        self.changed_fields = 0
        """Bit set of the fields that have changed."""
        self.changes = 0
        self.drops = 0


def _quantity(number: int, unit: str) -> str:
    return f"{number or 'no'} {unit}{'' if number == 1 else 's'}"


class _EventTemporality:
    """The changes of one event's counters, by port."""

    def __init__(self, event: str, setting: str, max_ports: int) -> None:
        self._event = event
        self._setting = setting
        self._max_ports = max_ports
        self._ports: dict[tuple[str, ...], _Port] = {}
        self._changed_fields = 0
        self._changes = 0
        self._final: DetectedTemporality | None = None

    @property
    def is_final(self) -> bool:
        return self._final is not None

    def observe(self, circuit: tuple[str, ...], values: Numbers) -> None:
        port = self._ports.get(circuit)
        if port is None:
            if len(self._ports) < self._max_ports:
                self._ports[circuit] = _Port(values)
            return
        before = port.last
        if values == before:
            return
        port.last = values
        changed = dropped = 0
        for index, (old, new) in enumerate(zip(before, values, strict=False)):
            if old is not None and new is not None and old != new:
                changed |= 1 << index
                if new < old:
                    dropped |= 1 << index
        changed_again = changed & port.changed_fields
        port.changed_fields |= changed
        if changed_again:
            port.changes += 1
            port.drops += (dropped & changed_again) != 0
            self._changed_fields |= changed_again
            self._changes += 1
            if self._changes % FINAL_CHANGES == 0:
                result = self.detect()
                if result.temporality is not None:
                    self._final = result
                    self._ports = {}

    def detect(self) -> DetectedTemporality:
        # The other thread sets _final before it clears _ports: read in the opposite order.
        ports = list(self._ports.values())
        if self._final is not None:
            return self._final
        counted = [port for port in ports if port.changes >= MIN_CHANGES_PER_PORT]
        changes = sum(port.changes for port in counted)
        drops = sum(port.drops for port in counted)
        temporality: Temporality | None = None
        if changes >= MIN_CHANGES:
            if drops <= CUMULATIVE_MAX_DROPS * changes:
                temporality = Temporality.CUMULATIVE
            elif drops >= DELTA_MIN_DROPS * changes:
                temporality = Temporality.DELTA
        evidence = self._evidence(len(ports), len(counted), changes, drops)
        return DetectedTemporality(self._event, self._setting, temporality, evidence)

    def _evidence(self, ports: int, counted_ports: int, changes: int, drops: int) -> str:
        if not ports:
            return "No events yet."
        if not self._changes:
            return f"No counter has changed twice yet on {_quantity(ports, 'port')}."
        if changes < MIN_CHANGES:
            return (
                f"Only {_quantity(self._changes, 'repeated change')} so far on {_quantity(ports, 'port')};"
                f" {MIN_CHANGES} are needed, on ports with at least {MIN_CHANGES_PER_PORT} each."
            )
        return (
            f"{changes} changes of {_quantity(self._changed_fields.bit_count(), 'field')}"
            f" on {_quantity(counted_ports, 'port')}:"
            f" {_quantity(changes - drops, 'increase')}, {_quantity(drops, 'decrease')}."
        )


_SETTINGS = {row.name: f"counters.{row.name}" for row in fields(CounterSettings)}
EVENT_SETTINGS = {name: setting for name in EVENTS if (setting := _SETTINGS.get(name.replace("|", "_")))}
"""The setting that declares the temporality, by event."""


class TemporalityDetector:
    """Observes one account's events whose temporality is a setting, on at most ``max_ports`` ports each.

    One thread observes; any thread may read results.
    """

    def __init__(self, max_ports: int = 100) -> None:
        self._events = {
            event: _EventTemporality(event, setting, max_ports) for event, setting in EVENT_SETTINGS.items()
        }
        self.observed = set(self._events)
        """Names of the events to observe: those with a setting whose result is not final."""

    def observe(self, event: EventType, circuit: tuple[str, ...], values: Numbers) -> None:
        """Take the values of a circuit, newer than the previous ones; other events are ignored."""
        if event.name in self.observed:
            state = self._events[event.name]
            state.observe(circuit, values)
            if state.is_final:
                self.observed.discard(event.name)

    def result(self, event: str) -> DetectedTemporality:
        """Return the result for an event; raises :class:`KeyError` for events without a setting."""
        return self._events[event].detect()

    def results(self) -> tuple[DetectedTemporality, ...]:
        """Return the results for all events that have a setting, in the order of the schema."""
        return tuple(state.detect() for state in self._events.values())
