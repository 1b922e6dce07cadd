"""When the current stream is shut down in a rotation, so that no event is lost."""

from __future__ import annotations

from typing import NamedTuple


class DrainLimits(NamedTuple):
    """How long the current stream runs on beside the next one, in seconds."""

    overlap: float = 1.0
    """After the current stream has brought events that the next one brought too: what follows is on the
    next one, but servers may order events differently on two streams."""
    quiet: float = 5.0
    """Without an event on the current stream: a server may need a moment from the first byte of the next
    stream to its first event, and a slow link may pause."""
    deadline: float = 300.0
    """At most; a backlog that is left then is lost."""


class Drain:
    """What the current stream has brought since the next one opened. Times are those of one clock."""

    def __init__(self, limits: DrainLimits) -> None:
        self._limits = limits
        self._deadline = float("inf")
        self._last_event_at = float("inf")
        self._caught_up_at = float("inf")

    def start(self, at: float) -> None:
        """Record that the next stream is open."""
        self._deadline = at + self._limits.deadline
        self._last_event_at = at

    def event_received(self, at: float) -> None:
        """Record that the current stream has brought bytes of an event."""
        self._last_event_at = at

    def caught_up(self, at: float) -> bool:
        """Record that all later events are on the next stream, too. Return whether that is new."""
        is_new = self._caught_up_at == float("inf")
        if is_new:
            self._caught_up_at = at
        return is_new

    def stopped(self, seconds: float) -> None:
        """Record that the whole process did not run for so long: that was no silence of the server."""
        self._last_event_at += seconds

    @property
    def _drained_at(self) -> float:
        limits = self._limits
        return min(self._last_event_at + limits.quiet, self._caught_up_at + limits.overlap)

    @property
    def step(self) -> float:
        """How long to wait before another look at the clock, so that a stopped process is noticed."""
        return self._limits.quiet / 5

    @property
    def ends_at(self) -> float:
        """When to shut the current stream down, unless it brings another event before."""
        return min(self._drained_at, self._deadline)

    @property
    def cuts_backlog(self) -> bool:
        """Whether the deadline ends the current stream while it still brings events."""
        return self._drained_at > self._deadline
