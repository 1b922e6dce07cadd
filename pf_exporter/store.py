"""The latest observation of each circuit and event, one short lock, expiry, a limit."""

from __future__ import annotations

import enum
import operator
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection
from typing import NamedTuple

from pf_exporter.events import Numbers, Observation
from pf_exporter.families import EVENTS, EventType


class Row(NamedTuple):
    """What is known of one circuit from one kind of event; replaced whole, never changed."""

    lanes: tuple[str, ...]
    values: Numbers
    """As in :class:`~pf_exporter.events.Observation`; the sums so far where the events carry differences.

    Empty once the row has expired: then it only remembers when the circuit was last heard of.
    """
    timestamp: float | None
    """UNIX seconds of the sample, by the network's clock."""
    arrived: float
    """When the event came, by the monotonic clock: what expiry goes by."""
    arrived_at: float
    """When the event came, in UNIX seconds: what people read."""

    @property
    def series(self) -> int:
        """How many series the row makes at most: its numbers, and the time it was last heard of.

        The VLANs of a circuit that end on one port share the latter; here each counts its own.
        """
        return 1 + len(self.values) - self.values.count(None)


class Written(enum.Enum):
    """What became of an observation."""

    KEPT = "kept"
    FELL = "kept; a total in it is lower than before: the network's counters were reset"
    DUPLICATE = "dropped: the very sample that is held"
    OUT_OF_ORDER = "dropped: older than the sample that is held"
    REFUSED = "dropped: it would take the store above its limit of series"


class _Table:
    """The rows of one account and one kind of event."""

    def __init__(self, event: EventType, *, delta: bool) -> None:
        self.rows: dict[tuple[str, ...], Row] = {}
        """In the order in which the circuits were first seen, so that /metrics keeps its order."""
        self.arrivals: OrderedDict[tuple[str, ...], int] = OrderedDict()
        """The circuits that have not expired, the longest silent first, each with the series of its row."""
        self.oldest = float("-inf")
        """None of them was last heard of before this time; so that most writes need not look for it."""
        self.version = 0
        """Rises with every change of the rows."""
        self.delta = delta
        kinds = [family.kind for family in event.fields.values()]
        self.counters = tuple(index for index, kind in enumerate(kinds) if kind == "counter")
        self.totals: Callable[[Numbers], Numbers] | None = None
        """The totals among the values: where all are, tuple() is the values themselves."""
        if self.counters:
            self.totals = operator.itemgetter(*self.counters) if "gauge" in kinds else tuple

    def added(self, held: Numbers, values: Numbers) -> Numbers:
        """``values``, each difference in them replaced by the sum of all so far."""
        sums = list(values)
        for index in self.counters:
            before, more = held[index], values[index]
            sums[index] = before if more is None else more + (before or 0.0)
        return tuple(sums)

    def fell(self, held: Numbers, values: Numbers) -> bool:
        """Whether a total is lower than it was."""
        if self.totals is None:
            return False
        before, after = self.totals(held), self.totals(values)
        try:
            return any(map(operator.gt, before, after))  # type: ignore[arg-type]  # None: see below
        except TypeError:  # a None among them
            pairs = zip(before, after, strict=True)
            return any(a is not None and b is not None and a > b for a, b in pairs)


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
        self._tables: dict[str, dict[str, _Table]] = {}
        self._series: dict[str, int] = {}
        self._total = 0
        self._silent: OrderedDict[tuple[str, str, tuple[str, ...]], None] = OrderedDict()
        """Account, event and circuit of what has expired, the longest ago first."""
        self._gone: Counter[str] = Counter()
        """By event, the versions of the tables of accounts that are gone: a version never goes back."""

    def add_account(self, account: str) -> None:
        """Make room for an account's rows; it is listed from now on, even while it has none."""
        with self._lock:
            self._series[account] = 0
            self._tables[account] = {
                name: _Table(event, delta=name in self._delta) for name, event in EVENTS.items()
            }

    def remove_account(self, account: str) -> None:
        """Forget an account and its rows; nobody may write any more of it."""
        with self._lock:
            for name, table in self._tables.pop(account).items():
                self._gone[name] += table.version + 1
            self._total -= self._series.pop(account)
            for key in [key for key in self._silent if key[0] == account]:
                del self._silent[key]

    def _grow(self, account: str, series: int) -> None:
        self._series[account] += series
        self._total += series

    def _expire(self, account: str, event: str, now: float) -> None:
        """Forget the values of what is silent too long, at the cost of what expires, not of what stays."""
        table = self._tables[account][event]
        oldest = now - self.ttl
        while table.arrivals:
            circuit, series = next(iter(table.arrivals.items()))
            row = table.rows[circuit]
            table.oldest = row.arrived
            if row.arrived >= oldest:
                return
            del table.arrivals[circuit]
            table.rows[circuit] = row._replace(lanes=(), values=(), timestamp=None)
            table.version += 1
            self._grow(account, 1 - series)
            self._silent[account, event, circuit] = None
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
            (account, event, circuit), _ = self._silent.popitem(last=False)
            del self._tables[account][event].rows[circuit]
            self._tables[account][event].version += 1
            self._grow(account, -1)
        return True

    def write(self, account: str, observation: Observation) -> Written:
        """Keep what an event said, unless it is old, or more than there is room for."""
        event, circuit, lanes, values, timestamp, _, _ = observation
        now = self._clock()
        with self._lock:
            table = self._tables[account][event.name]
            if table.oldest < now - self.ttl:
                self._expire(account, event.name, now)
            held = table.rows.get(circuit)
            before = table.arrivals.get(circuit)
            outcome = Written.KEPT
            if held is not None and before is not None:
                if timestamp is not None and held.timestamp is not None:
                    # A network clock that went back is believed again once what it said before has expired.
                    if timestamp < held.timestamp:
                        return Written.OUT_OF_ORDER
                    if timestamp == held.timestamp and (table.delta or values == held.values):
                        return Written.DUPLICATE
                if table.delta:
                    values = table.added(held.values, values)
                elif values != held.values and table.fell(held.values, values):
                    if timestamp is not None and timestamp == held.timestamp:
                        return Written.OUT_OF_ORDER  # two samples of one second, the earlier one last
                    outcome = Written.FELL
            # tuple.__new__ is half the cost of calling the class.
            row = tuple.__new__(Row, (lanes, values, timestamp, now, self._wall()))
            series = 1 + len(values) - values.count(None)  # row.series, without the cost of a call
            if before is None and held is not None:  # it was silent, which is one series
                before = 1
                del self._silent[account, event.name, circuit]
            more = series - (before or 0)
            if more > 0 and not self._has_room(more, now):
                if circuit not in table.arrivals and held is not None:
                    self._silent[account, event.name, circuit] = None
                return Written.REFUSED
            if more:
                self._grow(account, more)
            table.rows[circuit] = row
            table.version += 1
            table.arrivals[circuit] = series
            table.arrivals.move_to_end(circuit)
        return outcome

    def rows(self, event: str) -> dict[str, list[tuple[tuple[str, ...], Row]]]:
        """By account, circuit and row of one kind of event: a copy in which nothing changes any more."""
        now = self._clock()
        with self._lock:
            copies = {}
            for account, tables in self._tables.items():
                self._expire(account, event, now)
                copies[account] = list(tables[event].rows.items())
            return copies

    def version(self, event: str) -> int:
        """A number that has risen whenever what :meth:`rows` gives has changed."""
        now = self._clock()
        with self._lock:
            for account in self._tables:
                self._expire(account, event, now)
            return self._gone[event] + sum(tables[event].version for tables in self._tables.values())

    def series(self) -> dict[str, int]:
        """By account, how many series its rows make."""
        with self._lock:
            return dict(self._series)
