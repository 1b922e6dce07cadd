"""What an account's stream went through: since when it is as it is, and what it was lost of."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, NamedTuple

from pf_exporter.reason import Reason
from pf_exporter.state.stats import ROTATED, STOPPED, AccountStats

REMEMBERED = 5
"""Errors of an account that are kept, the newest."""
RATE_OVER = 60.0
"""Seconds over which rates are taken, about."""
MARK_EVERY = 5.0
"""Seconds between two marks at least; rates are taken from one mark to another."""


class ErrorRecord(NamedTuple):
    """An error that ended a stream, or kept one from opening."""

    at: float
    """UNIX seconds."""
    reason: Reason


class CounterSnapshot(NamedTuple):
    """The counters at one moment."""

    at: float
    """By the monotonic clock."""
    events: dict[str, int]
    lag_sum: float
    lags: int


class AccountHistory(AccountStats):
    """An account's telemetry that remembers a little, for the status page; nothing of it is per event."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.since = time.time()
        """UNIX seconds at which the stream was opened or, where none is open, lost."""
        self.faults: deque[ErrorRecord] = deque(maxlen=REMEMBERED)
        self.bundle = ""
        """The UUID of the subscription, once there is one."""
        self._marks: deque[CounterSnapshot] = deque([self._mark()])

    def opened(self, at: float | None = None) -> None:
        """A stream is open."""
        super().opened(at)
        self.since = time.time()

    def lost(self, reason: Reason, state: str, since: float | None = None) -> None:
        """No stream is open, because of ``reason``."""
        if self.state == "streaming":
            self.since = time.time()
        super().lost(reason, state, since)
        if reason not in (ROTATED, STOPPED):
            self.faults.append(ErrorRecord(time.time(), reason))

    def _mark(self) -> CounterSnapshot:
        return CounterSnapshot(time.monotonic(), dict(self.events), self.lag_sum, sum(self.lags))

    def recent(self) -> tuple[dict[str, float], float | None]:
        """Events a second by name and the mean lag in seconds, over about the last minute.

        Looked at for the first time in a while it is over all the time since the last look.
        """
        now = self._mark()
        marks = self._marks
        while len(marks) > 1 and now.at - marks[1].at >= RATE_OVER:
            marks.popleft()
        then = marks[0]
        if now.at - marks[-1].at >= MARK_EVERY:
            marks.append(now)
        seconds = max(now.at - then.at, 1.0)
        rates = {name: (count - then.events.get(name, 0)) / seconds for name, count in now.events.items()}
        lags = now.lags - then.lags
        return rates, (now.lag_sum - then.lag_sum) / lags if lags else None
