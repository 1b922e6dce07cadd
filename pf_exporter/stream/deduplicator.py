"""Recognizes events that come on both streams while one replaces the other."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable

from pf_exporter.packetfabric import ServerSentEvent

REPEAT_WINDOW = 10.0
"""Seconds after a switch, and after each repeat, during which the new stream may repeat events of the old."""
MAX_REMEMBERED = 65_536
"""Events of the old stream that are remembered, and of the new one that are expected: about 10 MB."""

MIN_MATCHES = 3
"""Different events that both streams bring until the old one counts as caught up: a single one may come more
than once on a stream, and then a backlog would be cut."""


def event_key(event: ServerSentEvent) -> int:
    """Return what identifies an event on both streams."""
    return hash((event.event, event.data))


class _Memory:
    """How often each of the latest events of a stream came, by key."""

    def __init__(self) -> None:
        self.counts: Counter[int] = Counter()
        self._order: deque[int] = deque()

    def add(self, key: int) -> None:
        """Remember an event, and forget the oldest one at the limit."""
        counts = self.counts
        if len(self._order) == MAX_REMEMBERED:
            oldest = self._order.popleft()
            counts[oldest] -= 1
            if not counts[oldest]:
                del counts[oldest]
        self._order.append(key)
        counts[key] += 1


class Deduplicator:
    """Remembers the events of the old stream during a rotation, and counts each off against one of the new.

    For one thread. Outside of a rotation nothing is a repeat: the same event may well come twice.
    ``clock`` returns the seconds in which events arrive: for a live stream a monotonic clock, for a replay
    the time of the record, so that a window lasts as long as when it was recorded, at any speed.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._memory: _Memory | None = None
        """The events of the current stream, while the next one is opened and read ahead."""
        self._expected: set[int] = set()
        """Keys of events that the next stream has brought while the current one is still read."""
        self._matches: set[int] = set()
        """Keys of events that both have brought."""
        self._unmatched: Counter[int] | None = None
        """How often each event came on the stream before the current one and not yet on this one."""
        self._window_end = 0.0
        """When these are no longer expected."""

    def rotation_started(self) -> None:
        """Remember events from now on: a second stream is being opened."""
        self._memory = _Memory()
        self._expected = set()
        self._matches = set()

    @property
    def has_caught_up(self) -> bool:
        """Whether the current stream has brought ``MIN_MATCHES`` different events of the next one.

        If so, all later events of the current one are on the next one, too.
        """
        return len(self._matches) >= MIN_MATCHES

    def expect(self, keys: Iterable[int]) -> None:
        """Take the keys of events that the next stream has brought before the switch."""
        memory = self._memory
        if memory is None:
            return
        for key in keys:
            if len(self._expected) < MAX_REMEMBERED:
                self._expected.add(key)
            if key in memory.counts:
                self._note_match(key)

    def _note_match(self, key: int) -> None:
        if len(self._matches) < MIN_MATCHES:
            self._matches.add(key)

    def rotation_switched(self) -> None:
        """Expect repeats from now on: events come from the second stream."""
        self._unmatched = None if self._memory is None else self._memory.counts
        self._window_end = self._clock() + REPEAT_WINDOW
        self.rotation_abandoned()

    def rotation_abandoned(self) -> None:
        """Remember no more events: there is no second stream."""
        self._memory = None
        self._expected = set()
        self._matches = set()

    def is_repeat(self, event: ServerSentEvent) -> bool:
        """Return whether the other stream has brought this event already; call once for each event."""
        if self._unmatched is None and self._memory is None:
            return False
        key = event_key(event)
        if self._memory is not None:
            self._memory.add(key)
            if key in self._expected:
                self._note_match(key)
        return self._unmatched is not None and self._take(self._unmatched, key)

    def _take(self, unmatched: Counter[int], key: int) -> bool:
        now = self._clock()
        if now > self._window_end:
            self._unmatched = None
            return False
        if unmatched[key] <= 0:
            return False
        unmatched[key] -= 1
        # The new stream may have a backlog, too: what it repeats tells how far it is.
        self._window_end = now + REPEAT_WINDOW
        return True
