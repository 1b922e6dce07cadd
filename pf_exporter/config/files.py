"""Read files, and notice that they have changed."""

from __future__ import annotations

import os
import stat
import time

LIMIT = 64 * 1024
"""Largest secret file, in bytes."""


def read_file(path: str, limit: int) -> tuple[str, int]:
    """Text and permission bits of a regular UTF-8 file of at most ``limit`` bytes.

    ValueError says why not, without the path and without any of the content.
    """
    try:
        # Without O_NONBLOCK a FIFO would keep us waiting for a writer.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise ValueError("the file is not a regular file")
            content = file.read(limit + 1)
    except OSError as exc:
        raise ValueError(f"the file cannot be read: {exc.strerror or 'I/O error'}") from None
    if len(content) > limit:
        raise ValueError(f"the file is larger than {limit // 1024} KiB")
    try:
        return content.decode(), stat.S_IMODE(mode)
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8 text") from None


TICK = 50_000_000
"""Nanoseconds in which a file may be written twice with one and the same time; more than any clock's tick."""


def fingerprint(path: str) -> object:
    """What is another thing once the file was written or replaced."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    if 0 <= time.time_ns() - found.st_mtime_ns < TICK:
        return object()  # It may be written again without a trace.
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
