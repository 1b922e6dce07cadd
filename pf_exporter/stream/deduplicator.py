"""Recognizes events that come on both streams while one replaces the other."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from pf_exporter.packetfabric import ServerSentEvent

REPEAT_WINDOW = 10.0
"""Seconds after a switch during which the new stream may repeat events of the old one."""


class Deduplicator:
    """Counts the events of the old stream during a rotation, and each off against one of the new stream.

    For one thread. Outside of a rotation nothing is a repeat: the same event may well come twice.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._unmatched: Counter[int] | None = None
        """How often each event, by hash, came on the old stream and not yet on the new one."""
        self._window_end: float | None = None
        """When repeats are no longer expected, or None while the old stream is read."""

    def rotation_started(self) -> None:
        """Remember events from now on: a second stream is being opened."""
        self._unmatched = Counter()
        self._window_end = None

    def rotation_switched(self) -> None:
        """Expect repeats from now on: events come from the second stream."""
        self._window_end = self._clock() + REPEAT_WINDOW

    def rotation_abandoned(self) -> None:
        """Forget everything: there is no second stream after all."""
        self._unmatched = None

    def is_repeat(self, event: ServerSentEvent) -> bool:
        """Return whether the other stream has brought this event already; call once for each event."""
        unmatched = self._unmatched
        if unmatched is None:
            return False
        key = hash((event.event, event.data))
        if self._window_end is None:
            unmatched[key] += 1
            return False
        if self._clock() > self._window_end:
            self._unmatched = None
            return False
        if unmatched[key] > 0:
            unmatched[key] -= 1
            return True
        return False
