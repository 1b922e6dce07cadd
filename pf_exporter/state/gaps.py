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

    def add(self, start: float, end: float) -> None:
        """Record a gap that has ended."""
        gap = Gap(start, max(start, end))
        self._gaps.append(gap)
        self.on_gap(gap)

    def records(self) -> list[Gap]:
        """Return the gaps, the latest last."""
        return list(self._gaps.copy())
