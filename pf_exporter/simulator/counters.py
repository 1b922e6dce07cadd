"""What has happened so far, counted, and a way to wait for it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable


class Counters:
    """Counts by name; written by the server's thread, read by any."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._changed = threading.Condition()

    def add(self, what: str, by: int = 1) -> None:
        """Count ``what``, and wake those who wait."""
        with self._changed:
            self._counts[what] += by
            self._changed.notify_all()

    def __getitem__(self, what: str) -> int:
        return self._counts[what]

    def wait(self, condition: Callable[[], bool], timeout: float) -> bool:
        """Whether ``condition`` has come true within ``timeout`` seconds; it is asked after every count."""
        with self._changed:
            return self._changed.wait_for(condition, timeout)
