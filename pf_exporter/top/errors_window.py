"""Errors of the last minute, from totals."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from pf_exporter.top.circuit import Circuit

WINDOW = 60.0
"""Seconds over which errors are counted."""
SHORTEST = 10.0
"""Seconds that a rate covers at least: the first events may repeat what happened before."""

Key = tuple[str, str, str, str]


class RecentErrors(NamedTuple):
    """The errors of one circuit."""

    last_minute: float
    """Since the start, in the first minute."""
    per_second: float
    """On average over the same time."""


class ErrorsWindow:
    """Counts by how much the totals of circuits rise; one that falls, after a reset, adds nothing."""

    def __init__(self) -> None:
        self._totals: dict[Key, float] = {}
        self._steps: deque[tuple[float, dict[Key, float]]] = deque()
        """The increases, only those above 0, with the time at which they were read."""
        self._sums: dict[Key, float] = {}
        self._started: float | None = None
        self._known: frozenset[Key] = frozenset()
        self._elapsed = 0.0

    def update(self, circuits: Iterable[Circuit], now: float) -> None:
        """Take the totals of a reading at ``now``, in seconds of a monotonic clock."""
        totals = {circuit.key: circuit.errors for circuit in circuits if circuit.errors is not None}
        step = {}
        for key, total in totals.items():
            before = self._totals.get(key)
            if before is not None and total > before:
                step[key] = total - before
        self._steps.append((now, step))
        while self._steps[0][0] < now - WINDOW:
            self._steps.popleft()
        self._sums = {}
        for _, increases in self._steps:
            for key, increase in increases.items():
                self._sums[key] = self._sums.get(key, 0.0) + increase
        self._known = frozenset(key for key in totals if key in self._totals)
        self._totals = totals
        if self._started is None:
            self._started = now
        self._elapsed = min(max(now - self._started, SHORTEST), WINDOW)

    def of(self, circuit: Circuit) -> RecentErrors | None:
        """The errors of a circuit; None before two readings have its total."""
        if circuit.key not in self._known:
            return None
        count = self._sums.get(circuit.key, 0.0)
        return RecentErrors(count, count / self._elapsed)
