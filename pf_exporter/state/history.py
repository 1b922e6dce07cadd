"""The recent past of an account's stream: last state change, last errors, rates of the last minute."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import NamedTuple

from pf_exporter.reason import Reason

MAX_ERRORS = 5
"""Most errors that are kept per account."""
RATE_WINDOW = 60.0
"""Seconds over which rates are computed, approximately."""
SNAPSHOT_INTERVAL = 5.0
"""Shortest time between two snapshots, in seconds."""


class ErrorRecord(NamedTuple):
    """An error that ended a stream or prevented one from opening."""

    at: float
    """UNIX seconds."""
    reason: Reason


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
    """What the status page shows of an account's past.

    Updated on state changes and when the page is rendered, never per event. Any thread may call.
    """

    def __init__(self, start: CounterSnapshot) -> None:
        self.state_since = time.time()
        """UNIX seconds at which the stream was opened or, if none is open, lost."""
        self._lock = threading.Lock()
        self._errors: deque[ErrorRecord] = deque(maxlen=MAX_ERRORS)
        self._snapshots: deque[CounterSnapshot] = deque([start])

    def state_changed(self) -> None:
        """Record that the stream was opened or lost now."""
        self.state_since = time.time()

    def add_error(self, reason: Reason) -> None:
        """Record an error; the oldest one is dropped."""
        with self._lock:
            self._errors.append(ErrorRecord(time.time(), reason))

    def errors(self) -> list[ErrorRecord]:
        """Return the last errors, the oldest first."""
        with self._lock:
            return list(self._errors)

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
