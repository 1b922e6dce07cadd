"""The rows of the table: one reading, filtered and sorted."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from pf_exporter.top.circuit import Circuit, Kind, Reading, State
from pf_exporter.top.errors_window import ErrorsWindow, RecentErrors


class Row(NamedTuple):
    """One line of the table."""

    circuit: Circuit
    state: State
    errors: RecentErrors | None
    age: float | None
    """Seconds since the last event."""


class SortKey(enum.Enum):
    """The sort key of the table; the value is the name on the command line."""

    BUSIEST = "busiest"
    """By utilization, as on the status page."""
    RECEIVE = "receive"
    TRANSMIT = "transmit"
    ERRORS = "errors"
    LIGHT = "light"
    AGE = "age"
    NAME = "name"
    STATE = "state"


def _errors(row: Row) -> float | None:
    return None if row.errors is None else -row.errors.last_minute


def _negative(number: float | None) -> float | None:
    return None if number is None else -number


def _busiest(row: Row) -> tuple[float, float] | None:
    utilization = row.circuit.utilization
    return None if utilization is None else (-utilization.share, -utilization.rate)


_SEVERITY = {state: float(index) for index, state in enumerate(State)}

_NUMBERS: dict[SortKey, Callable[[Row], Any]] = {
    SortKey.BUSIEST: _busiest,
    SortKey.RECEIVE: lambda row: _negative(row.circuit.receive),
    SortKey.TRANSMIT: lambda row: _negative(row.circuit.transmit),
    SortKey.ERRORS: _errors,
    SortKey.LIGHT: lambda row: row.circuit.light,
    SortKey.AGE: lambda row: _negative(row.age),
    SortKey.NAME: lambda row: 0.0,
    SortKey.STATE: lambda row: _SEVERITY[row.state],
}
"""What each key sorts by, ascending: most traffic, least light and oldest event come first; None is last."""


def _title(row: Row) -> tuple[str, ...]:
    circuit = row.circuit
    return (circuit.name or circuit.circuit).casefold(), circuit.circuit, circuit.port, circuit.vlan


def sorted_rows(rows: list[Row], key: SortKey, *, backwards: bool) -> list[Row]:
    """Sort rows; those without the value come last in both directions, equal ones are sorted by name."""
    number = _NUMBERS[key]
    rows = sorted(rows, key=_title, reverse=backwards and key is SortKey.NAME)
    known = [(value, row) for row in rows if (value := number(row)) is not None]
    known.sort(key=lambda pair: pair[0], reverse=backwards and key is not SortKey.NAME)
    return [row for _, row in known] + [row for row in rows if number(row) is None]


class Table:
    """The latest reading with the errors of the last minute; paused, it keeps its rows.

    ``clock`` is monotonic.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows = {kind: ErrorsWindow() for kind in Kind}
        self._serial = 0
        self.reading = Reading()
        self.readings = 0
        """How many readings had new values."""
        self.paused = False
        self._rows: dict[Kind, list[Row]] = {kind: [] for kind in Kind}

    def update(self, reading: Reading) -> None:
        """Take a reading; while paused only the errors are counted."""
        if reading.serial != self._serial:
            self._serial = reading.serial
            self.readings += 1
            read_at = self._clock() - reading.age
            for kind, window in self._windows.items():
                circuits = (circuit for circuit in reading.circuits if circuit.kind is kind)
                window.update(circuits, read_at)
        if self.paused:
            return
        self.reading = reading
        now = reading.at + reading.age
        for kind in Kind:
            self._rows[kind] = [
                Row(
                    circuit,
                    circuit.state,
                    self._windows[kind].of(circuit),
                    None if circuit.last_event is None else max(now - circuit.last_event, 0.0),
                )
                for circuit in reading.circuits
                if circuit.kind is kind
            ]

    def rows(
        self, kind: Kind, key: SortKey = SortKey.BUSIEST, *, backwards: bool = False, filter: str = ""
    ) -> list[Row]:
        """The rows whose account, ID, name, port or state contains the filter, sorted."""
        wanted = filter.casefold()
        rows = [row for row in self._rows[kind] if not wanted or wanted in _searchable(row)]
        return sorted_rows(rows, key, backwards=backwards)

    def has_data(self, kind: Kind) -> bool:
        """Whether any circuit has values."""
        return any(row.circuit.utilization is not None for row in self._rows[kind])

    def is_complete(self, kind: Kind) -> bool:
        """Whether the inventory is read, no circuit waits for data, and errors are known."""
        counts = self.counts(kind)
        has_all = bool(counts[State.UP]) and not counts[State.NO_DATA]
        has_errors = all(row.errors or row.circuit.errors is None for row in self._rows[kind])
        return self.reading.has_inventory and self.readings > 1 and has_all and has_errors

    def counts(self, kind: Kind) -> dict[State, int]:
        """How many circuits of a kind are in each state."""
        counts = dict.fromkeys(State, 0)
        for row in self._rows[kind]:
            counts[row.state] += 1
        return counts


def _searchable(row: Row) -> str:
    circuit = row.circuit
    words = (circuit.account, circuit.circuit, circuit.name, circuit.port, row.state.value)
    return "\n".join(words).casefold()
