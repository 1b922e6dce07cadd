"""Counters of what a simulator has done, and a way to wait for a change."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from enum import Enum, auto


class Count(Enum):
    """Everything that is counted, besides requests by method and path."""

    LOGIN_ATTEMPTS = auto()
    LOGINS = auto()
    LOGOUTS = auto()
    SUBSCRIPTIONS = auto()
    STREAMS = auto()
    STREAMS_ENDED = auto()
    EVENTS = auto()
    HEARTBEATS = auto()


class Counters:
    """Counters by name; incremented by the server's thread, read by any thread."""

    def __init__(self) -> None:
        self._counts: Counter[Count | tuple[str, str]] = Counter()
        self._changed = threading.Condition()

    def increment(self, count: Count | tuple[str, str]) -> None:
        """Increment one counter and wake waiting threads; requests are counted by ``(method, path)``."""
        with self._changed:
            self._counts[count] += 1
            self._changed.notify_all()

    def __getitem__(self, count: Count | tuple[str, str]) -> int:
        return self._counts[count]

    def wait(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Wait up to ``timeout`` seconds for ``condition``, checked after increments; return its value."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)
