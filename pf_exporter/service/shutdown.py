"""Stops several parts at the same time, within a time limit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

STOP_TIMEOUT = 1.5
"""Seconds for a part to stop."""


def stop_all(stops: Sequence[Callable[[], object]]) -> list[bool]:
    """Call each function on its own thread; return which of them returned True within ``STOP_TIMEOUT``."""
    ended = [False] * len(stops)

    def run(index: int) -> None:
        ended[index] = stops[index]() is True

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(len(stops))]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + STOP_TIMEOUT
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0.0))
    return list(ended)
