"""The latest observation of each circuit and event, one short lock, expiry, a limit."""

from __future__ import annotations

import enum
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection

from pf_exporter.schema import EVENTS, Observation
from pf_exporter.state.table import Entry, Row, Table, has_fallen


class WriteResult(enum.Enum):
    """What became of an observation."""

    KEPT = "kept"
    RESET = "kept; a total in it is lower than before: the network's counters were reset"
    DUPLICATE = "dropped: the very sample that is held"
    OUT_OF_ORDER = "dropped: older than the sample that is held"
    REFUSED = "dropped: it would take the store above its limit of series"


KEPT, RESET = WriteResult.KEPT, WriteResult.RESET
"""Asked for with each event; an attribute of an enum costs as much as a whole call."""


class Store:
    """Rows by account, event and circuit, and whether there is room for one more.

    Any number of threads may write and read. What is silent longer than ``ttl`` seconds loses its values;
    when it was last heard of stays known, until the room is needed for a circuit that speaks.
    ``delta`` names the events whose counters carry differences; those are added up.
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
        self._series: dict[str, int] = {}
        self._total = 0
        self._silent: OrderedDict[Entry, tuple[str, str]] = OrderedDict()
        """What has expired, the longest ago first, each with its account and event."""
        self._gone: Counter[str] = Counter()
        """By event, the versions of the tables of accounts that are gone: a version never goes back."""

    def add_account(self, account: str) -> None:
        """Make room for an account's rows; it is listed from now on, even while it has none."""
        with self._lock:
            self._series[account] = 0
            self._tables[account] = {
                name: Table(event, delta=name in self._delta) for name, event in EVENTS.items()
            }

    def remove_account(self, account: str) -> None:
        """Forget an account and its rows; nobody may write any more of it."""
        with self._lock:
            for name, table in self._tables.pop(account).items():
                self._gone[name] += table.version + 1
            self._total -= self._series.pop(account)
            for held in [held for held, (whose, _) in self._silent.items() if whose == account]:
                del self._silent[held]

    def _grow(self, account: str, series: int) -> None:
        self._series[account] += series
        self._total += series

    def _expire(self, account: str, event: str, now: float) -> None:
        """Forget the values of what is silent too long, at the cost of what expires, not of what stays."""
        table = self._tables[account][event]
        oldest = now - self.ttl
        while table.live:
            held = next(iter(table.live))
            table.oldest = held.row.arrived
            if table.oldest >= oldest:
                return
            del table.live[held]
            self._silent[held] = (account, event)
            self._grow(account, 1 - held.series)
            held.row = held.row._replace(lanes=(), values=(), timestamp=None)
            held.series = 1
            table.version += 1
        table.oldest = now

    def _has_room(self, series: int, now: float) -> bool:
        """Whether so many more series fit; if they do, what has expired makes room for them."""
        if self._total + series > self.limit:
            for account, tables in self._tables.items():
                for event in tables:
                    self._expire(account, event, now)
        if self._total + series - len(self._silent) > self.limit:
            return False
        while self._total + series > self.limit:
            held, (account, event) = self._silent.popitem(last=False)
            table = self._tables[account][event]
            del table.held[held.circuit]
            table.version += 1
            self._grow(account, -1)
        return True

    def write(self, account: str, observation: Observation) -> WriteResult:
        """Keep what an event said, unless it is old, or more than there is room for."""
        event, circuit, lanes, values, timestamp, _, _ = observation
        with self._lock:
            now = self._clock()  # in here, so that who comes later is later
            table = self._tables[account][event.name]
            if table.oldest < now - self.ttl:
                self._expire(account, event.name, now)
            held = table.held.get(circuit)
            speaks = held in table.live
            outcome = KEPT
            if held is not None and speaks:
                last = held.row
                if timestamp is not None and last.timestamp is not None:
                    # A network clock that went back is believed again once what it said before has expired.
                    if timestamp < last.timestamp:
                        return WriteResult.OUT_OF_ORDER
                    if timestamp == last.timestamp and (table.delta or values == last.values):
                        return WriteResult.DUPLICATE
                if table.delta:
                    values = table.added(last.values, values)
                elif (
                    table.totals is not None
                    and values != last.values
                    and has_fallen(table.totals(last.values), table.totals(values))
                ):
                    if timestamp is not None and timestamp == last.timestamp:
                        return WriteResult.OUT_OF_ORDER  # two samples of one second, the earlier one last
                    outcome = RESET
            # tuple.__new__ is half the cost of calling the class.
            row = tuple.__new__(Row, (lanes, values, timestamp, now, self._wall()))
            series = 1 + len(values)
            try:
                sum(values)  # type: ignore[arg-type]  # the quickest way to see that no number is missing
            except TypeError:
                series -= values.count(None)
            if held is None:
                held = Entry(circuit, row)
            elif not speaks:
                del self._silent[held]  # so that it does not make room for itself
            more = series - held.series
            if more:
                if more > 0 and not self._has_room(more, now):
                    if held.series and not speaks:
                        self._silent[held] = (account, event.name)
                    return WriteResult.REFUSED
                self._grow(account, more)
            if not speaks:
                table.held[circuit] = held
                table.live[held] = None
            held.row = row
            held.series = series
            table.version += 1
            table.live.move_to_end(held)
        return outcome

    def rows(self, event: str) -> dict[str, list[tuple[tuple[str, ...], Row]]]:
        """By account, circuit and row of one kind of event: a copy in which nothing changes any more."""
        with self._lock:
            now = self._clock()
            copies = {}
            for account, tables in self._tables.items():
                self._expire(account, event, now)
                copies[account] = [(held.circuit, held.row) for held in tables[event].held.values()]
            return copies

    def version(self, event: str) -> int:
        """A number that has risen whenever what :meth:`rows` gives has changed."""
        with self._lock:
            now = self._clock()
            for account in self._tables:
                self._expire(account, event, now)
            return self._gone[event] + sum(tables[event].version for tables in self._tables.values())

    def series(self) -> dict[str, int]:
        """By account, how many series its rows make."""
        with self._lock:
            return dict(self._series)
