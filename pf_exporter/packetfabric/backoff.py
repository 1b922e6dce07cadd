"""How long to wait before the next attempt, as an immutable value."""

from __future__ import annotations

from typing import NamedTuple

MAX_DOUBLINGS = 64
"""2 ** 64 is above any maximum; without the limit the float would overflow after weeks of failures."""


class Backoff(NamedTuple):
    """Exponential backoff with full jitter, between ``minimum`` and ``maximum`` seconds.

    The jitter keeps a fleet that lost its server at once from returning at once.
    """

    minimum: float
    maximum: float
    attempt: int = 0

    def delay(self, random: float) -> float:
        """Return the seconds to wait now; ``random`` is a number in [0, 1).

        >>> Backoff(1, 60).delay(0.5), Backoff(1, 60, attempt=9).delay(0.5)
        (1.5, 30.5)
        """
        ceiling = min(self.maximum, self.minimum * 2.0 ** min(self.attempt + 1, MAX_DOUBLINGS))
        return self.minimum + (ceiling - self.minimum) * random

    def next(self) -> Backoff:
        """Return the backoff after one more failure."""
        return self._replace(attempt=self.attempt + 1)

    def reset(self) -> Backoff:
        """Return the backoff after a success."""
        return self._replace(attempt=0)
