"""The latest observation of each account, event and circuit, with expiry and a limit of series."""

from __future__ import annotations

import enum
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping

from pf_exporter.schema import Observation
from pf_exporter.state.account_rows import AccountRows, Quota, divide_limit
from pf_exporter.state.row_sink import RowSink
from pf_exporter.state.table import Entry, Row, Table, any_decreased


class WriteResult(enum.Enum):
    """The result of writing an observation."""

    KEPT = "kept"
    RESET = "reset"
    """Kept; at least one of its counters is lower than before."""
    DUPLICATE = "duplicate"
    """Dropped: the stored row is the same sample."""
    OUT_OF_ORDER = "out_of_order"
    """Dropped: it is older than the stored row."""
    REFUSED = "refused"
    """Dropped: a new circuit that would exceed the limit of series."""
    REDUCED = "reduced"
    """Kept in part: more series than the circuit has already would exceed the limit."""


KEPT, RESET = WriteResult.KEPT, WriteResult.RESET
"""Used with every event: before Python 3.12, access to an enum's attribute costs as much as a call."""


class Store:
    """Rows by account, event and circuit, with a limit on the series of all accounts together.

    Any number of threads may write and read. A row that is not updated for ``ttl`` seconds loses its values;
    the time of its last event is kept until the space is needed for a live circuit. Each account has a share
    of the limit, see :func:`divide_limit`. ``delta`` names the events whose counters carry differences, which
    are added up. ``clock`` is monotonic; ``sink`` takes each row written.
    """

    def __init__(
        self,
        *,
        ttl: float,
        limit: int,
        delta: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
        sink: RowSink | None = None,
    ) -> None:
        self.ttl = ttl
        self.limit = limit
        self._delta = delta
        self._clock = clock
        self._sink = sink
        self._lock = threading.Lock()
        self._accounts: dict[str, AccountRows] = {}
        self._account_limits: dict[str, int | None] = {}
        """By account, its ``series_limit``; None if it shares the rest with others."""
        self._removed: Counter[str] = Counter()
        """By event, the versions of removed accounts' tables, so that :meth:`version` never decreases."""

    def add_account(self, account: str, limit: int | None = None) -> None:
        """Add an account without rows; ``limit`` is its ``series_limit``, if it has one."""
        with self._lock:
            self._accounts[account] = AccountRows(account, self._delta, self._sink)
            self._account_limits[account] = limit
            self._divide_limit()

    def remove_account(self, account: str) -> None:
        """Remove an account and its rows; it must no longer be written."""
        with self._lock:
            for name, table in self._accounts.pop(account).remove_all().items():
                self._removed[name] += table.version + 1
            del self._account_limits[account]
            self._divide_limit()

    def set_limits(self, limit: int, account_limits: Mapping[str, int | None]) -> None:
        """Change the limit of all series, and the limits of these accounts.

        Rows that exceed the new limits stay until another account needs its share, or until they expire.
        """
        with self._lock:
            self.limit = limit
            self._account_limits |= account_limits
            self._divide_limit()

    def _divide_limit(self) -> None:
        for account, quota in divide_limit(self.limit, self._account_limits).items():
            self._accounts[account].quota = quota

    def quota(self, account: str) -> Quota:
        """Return how many series an account may have."""
        with self._lock:
            return self._accounts[account].quota

    def _make_room(self, account: AccountRows, growth: int, now: float) -> bool:
        """Return whether ``growth`` more series of an account fit, after removing rows if necessary.

        Removes nothing if the rows would not fit anyway. Otherwise removes entries in this order:

        1. expired entries of this account, while it would exceed its maximum;
        2. expired entries of accounts above their share, the account with the largest excess first;
        3. expired entries of this account, while it would exceed its share;
        4. live entries of the account with the largest excess.
        """
        total = sum(rows.series for rows in self._accounts.values())
        if total + growth <= self.limit and account.series + growth <= account.quota.maximum:
            return True
        for rows in self._accounts.values():
            for event in rows.tables:
                rows.expire(event, now, self.ttl)
        excess = sum(rows.series for rows in self._accounts.values()) + growth - self.limit
        needed = account.series - len(account.expired) + growth
        others = [rows for rows in self._accounts.values() if rows is not account]
        if needed > account.quota.maximum:
            return False
        if needed > account.quota.share:
            removable = sum(min(len(rows.expired), max(rows.borrowed, 0)) for rows in others)
            if excess > removable + len(account.expired):
                return False
        while account.expired and account.series + growth > account.quota.maximum:
            account.remove_expired()
            excess -= 1
        while excess > 0:
            excess -= self._remove_entry(account, growth, others)
        return True

    @staticmethod
    def _remove_entry(account: AccountRows, growth: int, others: Iterable[AccountRows]) -> int:
        """Remove the first entry in the order of :meth:`_make_room`; return how many series that frees."""
        borrowers = sorted((rows for rows in others if rows.borrowed > 0), key=lambda rows: -rows.borrowed)
        for rows in borrowers:
            if rows.expired:
                rows.remove_expired()
                return 1
        if account.expired and account.borrowed + growth > 0:
            account.remove_expired()
            return 1
        before = borrowers[0].series
        borrowers[0].remove_live()
        return before - borrowers[0].series

    def _admit(self, account: AccountRows, table: Table, entry: Entry, series: int, now: float) -> bool:
        """Make room for an entry that is new, has expired or changes its number of series.

        Return whether it fits; if so it is live and its series are counted.
        """
        # An expired entry must not be removed to make room for itself.
        event = account.expired.pop(entry, None)
        growth = series - entry.series
        if growth > 0 and not self._make_room(account, growth, now):
            if event is not None:
                account.expired[entry] = event
            return False
        account.series += growth
        table.entries[entry.circuit] = entry
        table.live[entry] = None
        return True

    def write(self, account: str, observation: Observation, received_at: float) -> WriteResult:
        """Store an observation unless it is a duplicate, out of order, or exceeds the limit of series.

        ``received_at`` is the time of its arrival, in UNIX seconds.

        Runs for every event, so the common path is inlined; each extra call would add about 2 %.
        """
        event, circuit = observation.event, observation.circuit
        values, timestamp = observation.values, observation.timestamp
        with self._lock:
            now = self._clock()  # read under the lock, so that times never decrease from write to write
            account_rows = self._accounts[account]
            table = account_rows.tables[event.name]
            if table.oldest < now - self.ttl:
                account_rows.expire(event.name, now, self.ttl)

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
            elif entry is not None and table.repeats_expired(entry, timestamp, values):
                return WriteResult.DUPLICATE  # Otherwise a source that only repeats itself would look alive.
            row = Row(observation.lanes, values, timestamp, now, received_at)
            series = 1 + len(values)
            try:
                sum(values)  # type: ignore[arg-type]  # the fastest test for None, which raises
            except TypeError:
                series -= values.count(None)

            entry = entry or Entry(circuit, row)
            changed = not is_live or series != entry.series
            if changed and not self._admit(account_rows, table, entry, series, now):
                # Old values must not stay: they would look like current ones.
                reduced = account_rows.update_in_shape(event.name, entry, row)
                return WriteResult.REDUCED if reduced else WriteResult.REFUSED
            entry.row = row
            entry.series = series
            table.version += 1
            table.live.move_to_end(entry)
            if self._sink is not None:
                self._sink.write_row(account, event, circuit, row)
        return result

    def rows(self, event: str) -> dict[str, list[tuple[tuple[str, ...], Row]]]:
        """Return the circuits and rows of an event by account, as a copy."""
        with self._lock:
            now = self._clock()
            copies = {}
            for account, account_rows in self._accounts.items():
                account_rows.expire(event, now, self.ttl)
                entries = account_rows.tables[event].entries.values()
                copies[account] = [(entry.circuit, entry.row) for entry in entries]
            return copies

    def version(self, event: str) -> int:
        """Return a number that increases whenever the result of :meth:`rows` changes."""
        with self._lock:
            now = self._clock()
            version = self._removed[event]
            for account_rows in self._accounts.values():
                account_rows.expire(event, now, self.ttl)
                version += account_rows.tables[event].version
            return version

    def series(self) -> dict[str, int]:
        """Return the number of series by account."""
        with self._lock:
            return {account: rows.series for account, rows in self._accounts.items()}
