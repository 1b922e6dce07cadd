"""When one list of circuits is polled, and why its last poll has failed."""

from __future__ import annotations

from pf_exporter.errors import ApiError, ExporterError, Forbidden, LoginIncomplete, Rejected
from pf_exporter.packetfabric import Backoff, Session
from pf_exporter.reason import Reason

FIRST_RETRY = 5.0
"""Shortest time in seconds from a failure to the next poll; it doubles with each failure in a row."""


class ListSchedule:
    """The schedule of one list. Times are monotonic, in seconds; ``min_interval`` applies to refreshes."""

    def __init__(self, interval: float, min_interval: float) -> None:
        self._interval = interval
        self._min_interval = min(min_interval, interval)
        self._backoff = Backoff(min(FIRST_RETRY, interval), interval)
        self._earliest = float("-inf")
        """The time of the next poll if one is requested."""
        self.due = float("-inf")
        """The time of the next poll."""
        self.problem: Reason | None = None
        """Why the last poll has failed; None if it has not."""
        self.accepted_session: Session | None = None
        """The session of the last successful poll."""

    def refresh(self) -> None:
        """Poll as soon as the minimum interval has passed since the last poll began."""
        self.due = min(self.due, self._earliest)

    def succeeded(self, started: float, now: float) -> None:
        """Decide when to poll again after a success."""
        self._backoff = self._backoff.reset()
        self.problem = None
        duration = now - started
        # With a slow API, polling takes at most half of the time.
        self.due = now + max(self._interval - duration, min(duration, self._interval))
        self._earliest = min(started + self._min_interval, self.due)

    def failed(self, error: ExporterError, now: float, random: float) -> float:
        """Decide when to try again, and return in how many seconds; ``random`` is from 0 to 1."""
        delay = self._backoff.delay(random)
        self._backoff = self._backoff.next()
        if isinstance(error, Forbidden | LoginIncomplete | Rejected):
            # Only the user can resolve it.
            delay = max(delay, self._interval)
        retry_after = (error.retry_after or 0.0) if isinstance(error, ApiError) else 0.0
        delay = max(delay, retry_after)
        self.problem = error.reason
        self.due = now + delay
        self._earliest = now + max(min(delay, self._min_interval), retry_after)
        return delay
