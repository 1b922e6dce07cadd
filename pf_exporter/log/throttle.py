"""Limits how often something that may be frequent is logged."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable


class Throttle:
    """Admits each key at most once in some seconds; keys come from a bounded set. Any thread may call it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last: dict[Hashable, float] = {}

    def admits(self, key: Hashable, every: float) -> bool:
        """Return whether ``key`` was not admitted within the last ``every`` seconds; if so, it is now."""
        with self._lock:
            now = self._clock()
            if now - self._last.get(key, -every) < every:
                return False
            self._last[key] = now
            return True
