"""The rows of one account, with their expiry and removal."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from typing import NamedTuple

from pf_exporter.schema import EVENTS
from pf_exporter.state.row_sink import RowSink
from pf_exporter.state.table import Entry, Row, Table, in_shape_of, without_values


class Quota(NamedTuple):
    """How many series an account may have."""

    share: int
    """Reserved for this account. Other accounts may borrow the unused part until this one needs it."""
    maximum: int
    """The most series that it can have; those above its share are borrowed."""


def divide_limit(limit: int, account_limits: Mapping[str, int | None]) -> dict[str, Quota]:
    """Return each account's quota; the shares never add up to more than ``limit``.

    The limit of an account that has one is its share and its maximum. The other accounts divide the rest
    equally, and each may borrow everything that is free.

    >>> divide_limit(100, {"a": None, "b": None})["a"]
    Quota(share=50, maximum=100)
    >>> divide_limit(100, {"a": 40, "b": None})["b"]
    Quota(share=60, maximum=100)
    """
    quotas = {}
    rest = limit
    for account, own_limit in account_limits.items():
        if own_limit is not None:
            quotas[account] = Quota(min(own_limit, rest), own_limit)
            rest -= quotas[account].share
    sharing = [account for account, own_limit in account_limits.items() if own_limit is None]
    return quotas | {account: Quota(rest // len(sharing), limit) for account in sharing}


class AccountRows:
    """The tables of one account by event, and how many series they have."""

    def __init__(self, account: str, delta: Collection[str], sink: RowSink | None) -> None:
        self._account = account
        self._sink = sink
        self.tables = {name: Table(event, delta=name in delta) for name, event in EVENTS.items()}
        self.series = 0
        self.quota: Quota
        """Set by the store as soon as it has divided its limit."""
        self.expired: OrderedDict[Entry, str] = OrderedDict()
        """Entries without values with their event, the least recently updated first; each is one series."""

    @property
    def borrowed(self) -> int:
        """How many series the account has above its share; negative if it has fewer."""
        return self.series - self.quota.share

    def expire(self, event: str, now: float, ttl: float) -> None:
        """Clear the rows that were not updated within the TTL, in time proportional to the rows cleared."""
        table = self.tables[event]
        while table.live:
            entry = next(iter(table.live))
            table.oldest = entry.row.received_monotonic
            if table.oldest >= now - ttl:
                return
            del table.live[entry]
            self.expired[entry] = event
            self.series += 1 - entry.series
            entry.expired_sample = table.sample(entry.row.timestamp, entry.row.values)
            entry.row = without_values(entry.row)
            entry.series = 1
            self._record_change(table, entry)
        table.oldest = now

    def _record_change(self, table: Table, entry: Entry) -> None:
        table.version += 1
        self._hand_over(table, entry)

    def _hand_over(self, table: Table, entry: Entry) -> None:
        """Let the sink know the row of an entry."""
        if self._sink is not None:
            self._sink.write_row(self._account, table.event, entry.circuit, entry.row)

    def update_in_shape(self, event: str, entry: Entry, row: Row) -> bool:
        """Update an entry with a row, but only those series that it has already, so that it does not grow.

        Return whether there is something to update: a new entry has no series.
        """
        table = self.tables[event]
        if entry.circuit not in table.entries:
            return False
        is_live = entry in table.live
        entry.row = in_shape_of(row, entry.row, len(table.event.fields), keep_timestamp=is_live)
        before, entry.series = entry.series, 1 + len(entry.row.values) - entry.row.values.count(None)
        self.series += entry.series - before
        (table.live if is_live else self.expired).move_to_end(entry)  # the most recently updated
        self._record_change(table, entry)
        return True

    def remove_expired(self) -> None:
        """Remove the expired entry that was not updated for the longest time."""
        entry, event = self.expired.popitem(last=False)
        self._remove(entry, self.tables[event])

    def remove_live(self) -> None:
        """Remove the live entry that was not updated for the longest time."""
        tables = [table for table in self.tables.values() if table.live]
        table = min(tables, key=lambda table: next(iter(table.live)).row.received_monotonic)
        entry, _ = table.live.popitem(last=False)
        self._remove(entry, table)
        entry.row = without_values(entry.row)
        self._hand_over(table, entry)

    def remove_all(self) -> Mapping[str, Table]:
        """Let the sink know that the account is removed, and return the tables."""
        for table in self.tables.values():
            for entry in table.live:
                entry.row = without_values(entry.row)
                self._hand_over(table, entry)
        return self.tables

    def _remove(self, entry: Entry, table: Table) -> None:
        del table.entries[entry.circuit]
        table.version += 1
        self.series -= entry.series
