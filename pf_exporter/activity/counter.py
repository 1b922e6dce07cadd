"""Counts and logs the entries of one account's activity log, each once."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from datetime import datetime, timezone

from pf_exporter.activity.ledger import ActivityLedger
from pf_exporter.config import LogSettings
from pf_exporter.log import Logger
from pf_exporter.schema import ActivityLogEntry, LoggedEntry
from pf_exporter.state import AccountStats, CatchUpResult


def _iso(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, timezone.utc).isoformat(timespec="microseconds")


class ActivityCounter:
    """Counts entries in the statistics, and logs the given fields of each.

    With a ``ledger``, entries can come from the stream as well as from the REST log, on two threads; its lock
    is held for one entry at a time. Without one every entry of the stream is counted. The ledger can be that
    of a previous counter of the same account, whose entries are not counted again.
    """

    def __init__(
        self,
        stats: AccountStats,
        *,
        fields: Collection[str] = LogSettings.activity_fields,
        ledger: ActivityLedger | None = None,
    ) -> None:
        self._stats = stats
        self._account = stats.account
        self._fields = fields
        self._ledger = ledger
        self._lock = threading.Lock() if ledger is None else ledger.lock
        self._log = Logger(__name__)
        self._is_proven = False
        """Whether a row has matched an entry of the stream."""

    def start(self) -> None:
        """Take over the ledger."""
        if self._ledger is not None:
            with self._lock:
                self._ledger.taken_over()

    def stream_opened(self) -> None:
        """Note that the stream was lost and opened again: it may repeat entries."""
        if self._ledger is not None:
            with self._lock:
                self._ledger.stream_opened()

    def count_streamed(self, entry: ActivityLogEntry) -> None:
        """Count an entry that the stream has brought, unless it was found in the REST log before."""
        with self._lock:
            if self._ledger is None or self._ledger.add_streamed(entry):
                self._count(entry)

    def merge(self, rows: Sequence[LoggedEntry], start: float, categories: Collection[str]) -> bool:
        """Count the rows of the REST log that the stream did not bring; return False if that is impossible.

        ``rows`` are all rows from ``start`` on, in the order of their times; those of other than the given
        categories were not subscribed to and are left out. A merge is impossible if the stream has brought
        entries of the same time, but none of them is found among the rows: then their times differ.
        """
        assert self._ledger is not None
        if not rows:
            return True
        rows = [row for row in rows if row.entry.category in categories]
        with self._lock:
            self._is_proven = self._is_proven or any(map(self._ledger.was_streamed, rows))
            is_possible = self._is_proven or not self._ledger.contradicts(rows, start)
        if not is_possible:
            self._stats.caught_up[CatchUpResult.UNMATCHED] += len(rows)
            return False
        for row in rows:
            with self._lock:
                self._merge_row(self._ledger, row)
        return True

    def _merge_row(self, ledger: ActivityLedger, row: LoggedEntry) -> None:
        result = ledger.add_logged(row)
        if result is not None:
            self._stats.caught_up[result] += 1
        if result is CatchUpResult.FOUND:
            self._count(row.entry, at=_iso(row.at))

    def _count(self, entry: ActivityLogEntry, **time: str) -> None:
        stats = self._stats
        key = (entry.category, entry.log_level)
        stats.activity[key] = stats.activity.get(key, 0) + 1
        values = {**entry.details, "category": entry.category, "log_level": entry.log_level}
        fields = {name: values.get(name, "") for name in self._fields}
        self._log.info("activity", account=self._account, **time, **fields)
