"""How many requests may be made per minute."""

from __future__ import annotations

import time
from collections.abc import Callable

BURST_SHARE = 0.25
"""The share of a minute's requests that may be made at once, after a time without requests."""


class RequestBudget:
    """A token bucket: in any minute at most ``per_minute`` requests. For one thread."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # A full bucket and what flows into it within a minute add up to the budget.
        self._burst = max(1.0, per_minute * BURST_SHARE)
        self._per_second = max(per_minute - self._burst, 1.0) / 60
        self._tokens = self._burst
        self._at = clock()
        self._held_until = float("-inf")

    @property
    def per_second(self) -> float:
        """The rate of requests that can be sustained."""
        return self._per_second

    def _refill(self) -> float:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_second)
        self._at = now
        return now

    def delay(self) -> float:
        """Return the seconds until the next request may be made."""
        now = self._refill()
        return max((1.0 - self._tokens) / self._per_second, self._held_until - now, 0.0)

    def take(self) -> None:
        """Count a request."""
        self._refill()
        self._tokens -= 1.0

    def hold(self, seconds: float) -> None:
        """Make no request for these seconds, because the API asked for it."""
        self._held_until = max(self._held_until, self._clock() + seconds)
