"""Read small files, and detect that a file has changed."""

from __future__ import annotations

import os
import re
import stat
import time

WORLD_READABLE = stat.S_IROTH
"""The permission bit of a file that every user may read."""

_TICK = 50_000_000
"""Nanoseconds within which two writes may leave the same modification time; longer than any clock tick."""


def read_file(path: str, limit: int) -> tuple[str, int]:
    """The text and the permission bits of a regular UTF-8 file of at most ``limit`` bytes.

    Raises ValueError with the reason, which contains neither the path nor any content.
    """
    try:
        # Without O_NONBLOCK, opening a FIFO blocks until it has a writer.
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


def with_path(where: str, path: str) -> str:
    """The place of a problem with a file, with the path if it is absolute and its first directory exists.

    Anything else may be a secret that was given instead of a path.
    """
    match = re.match(r"(/[^/]+)/[^/]", path)
    return f"{where}: {path}" if match and os.path.isdir(match[1]) else where


def fingerprint(path: str) -> object:
    """A value that differs after the file is written or replaced; None if the file does not exist."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    if 0 <= time.time_ns() - status.st_mtime_ns < _TICK:
        return object()  # Another write may leave the same modification time, so this equals nothing.
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
