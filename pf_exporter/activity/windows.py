"""The times whose activity log is to be read, and when."""

from __future__ import annotations

import threading
from typing import NamedTuple

MARGIN = 300.0
"""Seconds before and after a gap that are read, too: entries reach stream and log late."""


class Window(NamedTuple):
    """A time in UNIX seconds, and when it is to be read, by the same clock."""

    start: float
    end: float
    due: float


class Windows:
    """The windows that are waiting. Any thread may add; one takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Window] = []

    def add(self, start: float, end: float, before: float = MARGIN) -> None:
        """Add a gap: it is read now, and again when the last late entry should have arrived.

        ``before`` is how many seconds before the gap are read, too.
        """
        start, end = start - before, end + MARGIN
        with self._lock:
            self._waiting += [Window(start, end, end - MARGIN), Window(start, end, end)]

    def put_back(self, windows: list[Window]) -> None:
        """Add windows again that were taken and not read."""
        with self._lock:
            self._waiting += windows

    def take_all(self) -> list[Window]:
        """Return all that is waiting, as it was added."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        return waiting

    def take(self, now: float) -> list[Window]:
        """Return what is due, joined where it overlaps, the earliest first."""
        with self._lock:
            due = sorted(window for window in self._waiting if window.due <= now)
            self._waiting = [window for window in self._waiting if window.due > now]
        joined: list[Window] = []
        for window in due:
            if joined and window.start <= joined[-1].end:
                last = joined[-1]
                joined[-1] = last._replace(end=max(last.end, window.end))
            else:
                joined.append(window)
        return joined

    def next_due(self) -> float:
        """Return when the next window is due; infinity if none is waiting."""
        with self._lock:
            return min((window.due for window in self._waiting), default=float("inf"))
