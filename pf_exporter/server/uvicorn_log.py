"""Limits what uvicorn logs, because any client can cause most of its messages."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator

from pf_exporter.log import Throttle

EVERY = 60.0
"""Seconds between two lines with the same message."""


@contextlib.contextmanager
def throttled(clock: Callable[[], float] = time.monotonic) -> Iterator[None]:
    """Limit the log of uvicorn while the context is open.

    uvicorn's messages are a few constant texts. At shutdown it cancels active requests and logs each as an
    error: those are left out.
    """
    logger, throttle = logging.getLogger("uvicorn.error"), Throttle(clock)

    def is_logged(record: logging.LogRecord) -> bool:
        kind = None if record.exc_info is None else record.exc_info[0]
        if kind is not None and issubclass(kind, asyncio.CancelledError):
            return False
        return throttle.admits((str(record.msg), kind), EVERY)

    logger.addFilter(is_logged)
    try:
        yield
    finally:
        logger.removeFilter(is_logged)
