"""How to know that a file has changed since it was read."""

from __future__ import annotations

import os
import time

TICK = 50_000_000
"""Nanoseconds in which a file may be written twice with one and the same time; more than any clock's tick."""


def mark(path: str) -> object:
    """What is another thing once the file was written or replaced."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    if 0 <= time.time_ns() - found.st_mtime_ns < TICK:
        return object()  # It may be written again without a trace.
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
