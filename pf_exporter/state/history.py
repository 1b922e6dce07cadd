"""The recent past of an account's stream: last state change, last errors, rates of the last minute."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from pf_exporter.reason import Reason

MAX_ERRORS = 5
"""Most different errors that are kept in a log."""
RATE_WINDOW = 60.0
"""Seconds over which rates are computed, approximately."""
SNAPSHOT_INTERVAL = 5.0
"""Shortest time between two snapshots, in seconds."""


@dataclass(frozen=True)
class ErrorRecord:
    """An error, and when it happened; times are UNIX seconds."""

    reason: Reason
    message: str
    """The logged message."""
    first_at: float
    last_at: float
    count: int


class ErrorLog:
    """The last different errors of an account: an error that repeats is one record. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[tuple[Reason, str], ErrorRecord] = {}

    def add(self, reason: Reason, message: str) -> None:
        """Record an error; the record that was not repeated for the longest time is dropped."""
        now = time.time()
        with self._lock:
            # Removed and added again, so that the latest error is the last one.
            same = self._records.pop((reason, message), None)
            first_at, count = (now, 0) if same is None else (same.first_at, same.count)
            self._records[reason, message] = ErrorRecord(reason, message, first_at, now, count + 1)
            if len(self._records) > MAX_ERRORS:
                del self._records[next(iter(self._records))]

    def records(self) -> list[ErrorRecord]:
        """Return the records, the latest error last."""
        with self._lock:
            return list(self._records.values())


class CounterSnapshot(NamedTuple):
    """An account's counters at one moment."""

    at: float
    """Seconds of the monotonic clock."""
    events: dict[str, int]
    """Events received, by name."""
    lag_sum: float
    """Seconds."""
    lag_count: int


class RecentRates(NamedTuple):
    """Rates over about the last minute."""

    events: dict[str, float]
    """Events per second, by name."""
    mean_lag: float | None
    """Seconds; None if no event with a timestamp was received."""


class AccountHistory:
    """The past of an account, as the status page shows it.

    It is updated on state changes and when the page is rendered, never per event. Any thread may call.
    """

    def __init__(self, start: CounterSnapshot) -> None:
        self.state_since = time.time()
        """UNIX seconds at which the stream was opened or, if none is open, lost."""
        self.errors = ErrorLog()
        """The errors that ended a stream or prevented one from opening."""
        self._lock = threading.Lock()
        self._snapshots: deque[CounterSnapshot] = deque([start])

    def state_changed(self) -> None:
        """Record that the stream was opened or lost now."""
        self.state_since = time.time()

    def rates(self, now: CounterSnapshot) -> RecentRates:
        """Return the rates between a snapshot of about a minute ago and ``now``.

        Snapshots are taken by these calls only: the first call after a pause covers the whole pause.
        """
        with self._lock:
            snapshots = self._snapshots
            while len(snapshots) > 1 and now.at - snapshots[1].at >= RATE_WINDOW:
                snapshots.popleft()
            start = snapshots[0]
            if now.at - snapshots[-1].at >= SNAPSHOT_INTERVAL:
                snapshots.append(now)
        seconds = max(now.at - start.at, 1.0)
        events = {name: (count - start.events.get(name, 0)) / seconds for name, count in now.events.items()}
        lags = now.lag_count - start.lag_count
        return RecentRates(events, (now.lag_sum - start.lag_sum) / lags if lags else None)
