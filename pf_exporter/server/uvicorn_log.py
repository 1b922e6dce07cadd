"""Limits what uvicorn logs, because any client can cause most of its messages."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator

EVERY = 60.0
"""Seconds between two lines with the same message."""


class _Throttle:
    """A filter that lets each message pass at most once in ``EVERY`` seconds.

    uvicorn's messages are a few constant texts. At shutdown it cancels active requests and logs each as an
    error: those are left out.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last: dict[tuple[str, type[BaseException] | None], float] = {}

    def __call__(self, record: logging.LogRecord) -> bool:
        """Return whether to log a record."""
        kind = None if record.exc_info is None else record.exc_info[0]
        if kind is not None and issubclass(kind, asyncio.CancelledError):
            return False
        now, key = self._clock(), (str(record.msg), kind)
        if now - self._last.get(key, -EVERY) < EVERY:
            return False
        self._last[key] = now
        return True


@contextlib.contextmanager
def throttled(clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Limit the log of uvicorn while the context is open."""
    logger, throttle = logging.getLogger("uvicorn.error"), _Throttle(clock)
    logger.addFilter(throttle)
    try:
        yield
    finally:
        logger.removeFilter(throttle)
