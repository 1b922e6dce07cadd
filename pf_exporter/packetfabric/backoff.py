"""How long to wait before trying again, as an immutable value; clock and randomness come in from outside."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Backoff:
    """Waits that double from ``minimum`` up to ``maximum`` seconds, each spread evenly over its range.

    The spread ("full jitter") keeps a fleet that lost its server together from returning together.
    """

    minimum: float
    maximum: float
    attempt: int = 0

    def delay(self, random: float) -> float:
        """Seconds to wait now; ``random`` is a number in [0, 1).

        >>> Backoff(1, 60).delay(0.5), Backoff(1, 60, attempt=9).delay(0.5)
        (1.5, 30.5)
        """
        # 2 ** 64 is beyond any maximum; without the bound a float would overflow after weeks of trying.
        ceiling = min(self.maximum, self.minimum * 2.0 ** min(self.attempt + 1, 64))
        return self.minimum + (ceiling - self.minimum) * random

    def next(self) -> Backoff:
        """After one more failure."""
        return replace(self, attempt=self.attempt + 1)

    def reset(self) -> Backoff:
        """After a success that lasted."""
        return replace(self, attempt=0)
