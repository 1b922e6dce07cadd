"""The latest observation of each account, event and circuit, with expiry and a limit of series."""

from __future__ import annotations

import enum
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection

from pf_exporter.schema import EVENTS, Observation
from pf_exporter.state.table import Entry, Row, Table, any_decreased


class WriteResult(enum.Enum):
    """What the store did with an observation."""

    KEPT = "kept"
    RESET = "reset"
    """Kept; one of its counters is lower than before."""
    DUPLICATE = "duplicate"
    """Dropped: the stored row is the same sample."""
    OUT_OF_ORDER = "out_of_order"
    """Dropped: older than the stored row."""
    REFUSED = "refused"
    """Dropped: it would exceed the limit of series."""


KEPT, RESET = WriteResult.KEPT, WriteResult.RESET
"""Used with every event: before Python 3.12, access to an enum's attribute costs as much as a call."""


class Store:
    """Rows by account, event and circuit, with a limit on the series of all accounts together.

    Any number of threads may write and read. A row that is not updated for ``ttl`` seconds loses its values;
    the time of its last event is kept until the room is needed for a live circuit. ``delta`` names the events
    whose counters carry differences, which are added up. ``clock`` is monotonic, ``wall`` gives UNIX seconds.
    """

    def __init__(
        self,
        *,
        ttl: float,
        limit: int,
        delta: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.ttl = ttl
        self.limit = limit
        self._delta = delta
        self._clock = clock
        self._wall = wall
        self._lock = threading.Lock()
        self._tables: dict[str, dict[str, Table]] = {}
        """By account and event."""
        self._series: dict[str, int] = {}
        """Series by account."""
        self._total = 0
        """Series of all accounts."""
        self._expired: OrderedDict[Entry, tuple[str, str]] = OrderedDict()
        """Entries without values with their account and event, the first to expire first."""
        self._removed: Counter[str] = Counter()
        """By event, the versions of removed accounts' tables, so that :meth:`version` never decreases."""

    def add_account(self, account: str) -> None:
        """Add an account without rows."""
        with self._lock:
            self._series[account] = 0
            self._tables[account] = {
                name: Table(event, delta=name in self._delta) for name, event in EVENTS.items()
            }

    def remove_account(self, account: str) -> None:
        """Remove an account and its rows; it must no longer be written."""
        with self._lock:
            for name, table in self._tables.pop(account).items():
                self._removed[name] += table.version + 1
            self._total -= self._series.pop(account)
            for entry in [entry for entry, (owner, _) in self._expired.items() if owner == account]:
                del self._expired[entry]

    def _add_series(self, account: str, series: int) -> None:
        self._series[account] += series
        self._total += series

    def _expire(self, account: str, event: str, now: float) -> None:
        """Clear the rows that were not updated within the TTL; the cost depends only on their number."""
        table = self._tables[account][event]
        oldest = now - self.ttl
        while table.live:
            entry = next(iter(table.live))
            table.oldest = entry.row.received_monotonic
            if table.oldest >= oldest:
                return
            del table.live[entry]
            self._expired[entry] = (account, event)
            self._add_series(account, 1 - entry.series)
            entry.row = entry.row._replace(lanes=(), values=(), timestamp=None)
            entry.series = 1
            table.version += 1
        table.oldest = now

    def _make_room(self, series: int, now: float) -> bool:
        """Return whether ``series`` more series fit, after removing as many expired entries as necessary."""
        if self._total + series > self.limit:
            for account, tables in self._tables.items():
                for event in tables:
                    self._expire(account, event, now)
        if self._total + series - len(self._expired) > self.limit:
            return False
        while self._total + series > self.limit:
            entry, (account, event) = self._expired.popitem(last=False)
            table = self._tables[account][event]
            del table.entries[entry.circuit]
            table.version += 1
            self._add_series(account, -1)
        return True

    def _admit(self, account: str, table: Table, entry: Entry, series: int, now: float) -> bool:
        """Make room for an entry that is new, has expired or changes its number of series.

        Return whether it fits; if so it is live and its series are counted.
        """
        # An expired entry must not be removed to make room for itself.
        expired = self._expired.pop(entry, None)
        growth = series - entry.series
        if growth > 0 and not self._make_room(growth, now):
            if expired is not None:
                self._expired[entry] = expired
            return False
        self._add_series(account, growth)
        table.entries[entry.circuit] = entry
        table.live[entry] = None
        return True

    def write(self, account: str, observation: Observation) -> WriteResult:
        """Store an observation unless it is a duplicate, out of order, or exceeds the limit of series.

        Runs for every event, so that what most events need is inlined: each call costs about 2 % of it.
        """
        event, circuit, lanes, values, timestamp, _, _ = observation
        with self._lock:
            now = self._clock()  # read under the lock, so that times never decrease from write to write
            table = self._tables[account][event.name]
            if table.oldest < now - self.ttl:
                self._expire(account, event.name, now)

            entry = table.entries.get(circuit)
            is_live = entry in table.live
            result = KEPT
            if entry is not None and is_live:
                last = entry.row
                if timestamp is not None and last.timestamp is not None:
                    # If the network's clock is set back, writes resume once the stored row has expired.
                    if timestamp < last.timestamp:
                        return WriteResult.OUT_OF_ORDER
                    if timestamp == last.timestamp and (table.delta or values == last.values):
                        return WriteResult.DUPLICATE
                if table.delta:
                    values = table.accumulate(last.values, values)
                elif (
                    table.select_counters is not None
                    and values != last.values
                    and any_decreased(table.select_counters(last.values), table.select_counters(values))
                ):
                    if timestamp is not None and timestamp == last.timestamp:
                        return WriteResult.OUT_OF_ORDER  # two samples of one second, received in reverse
                    result = RESET

            # tuple.__new__ takes half as long as calling the class.
            row = tuple.__new__(Row, (lanes, values, timestamp, now, self._wall()))
            series = 1 + len(values)
            try:
                sum(values)  # type: ignore[arg-type]  # the fastest test for None, which raises
            except TypeError:
                series -= values.count(None)

            if entry is None:
                entry = Entry(circuit, row)
            changed = not is_live or series != entry.series
            if changed and not self._admit(account, table, entry, series, now):
                return WriteResult.REFUSED
            entry.row = row
            entry.series = series
            table.version += 1
            table.live.move_to_end(entry)
        return result

    def rows(self, event: str) -> dict[str, list[tuple[tuple[str, ...], Row]]]:
        """Return the circuits and rows of an event by account, as a copy."""
        with self._lock:
            now = self._clock()
            copies = {}
            for account, tables in self._tables.items():
                self._expire(account, event, now)
                copies[account] = [(entry.circuit, entry.row) for entry in tables[event].entries.values()]
            return copies

    def version(self, event: str) -> int:
        """Return a number that increases whenever the result of :meth:`rows` changes."""
        with self._lock:
            now = self._clock()
            for account in self._tables:
                self._expire(account, event, now)
            return self._removed[event] + sum(tables[event].version for tables in self._tables.values())

    def series(self) -> dict[str, int]:
        """Return the number of series by account."""
        with self._lock:
            return dict(self._series)
