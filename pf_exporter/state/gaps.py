"""The gaps of an account's stream: from when to when no stream was open."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

MAX_GAPS = 1000
"""Most gaps that are kept; the oldest are dropped."""


class Gap(NamedTuple):
    """A time without a stream, in UNIX seconds."""

    start: float
    end: float


def _ignore(gap: Gap) -> None:
    """Do nothing."""


class GapLog:
    """The last gaps of an account's stream. One thread adds, any thread may read.

    ``on_gap`` is called with each new gap, on the thread that adds it, and must not block.
    """

    def __init__(self) -> None:
        self.on_gap: Callable[[Gap], None] = _ignore
        self._gaps: deque[Gap] = deque(maxlen=MAX_GAPS)
        self._open_since = float("inf")
        """Start of the gap that the reader before has left open."""

    def take_over(self, previous: GapLog, open_since: float | None) -> None:
        """Take over the gaps of the account's previous reader, and the one that it left open, if any."""
        self._gaps.extend(previous.records())
        self._open_since = previous._open_since
        if open_since is not None:
            self._open_since = min(self._open_since, open_since)

    def add(self, start: float, end: float) -> None:
        """Record a gap that has ended."""
        gap = Gap(min(start, self._open_since), max(start, end))
        self._open_since = float("inf")
        self._gaps.append(gap)
        self.on_gap(gap)

    def records(self) -> list[Gap]:
        """Return the gaps, the latest last."""
        return list(self._gaps.copy())
