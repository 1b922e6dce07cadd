"""File descriptors, past the buffers and locks of ``sys.stdout`` and ``sys.stderr``.

A thread that hangs in a write to a blocked pipe holds the lock of its stream, and the interpreter needs that
lock to exit. A thread that hangs in a write to the descriptor holds nothing.
"""

from __future__ import annotations

import os
import select


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of ``data``; raises :class:`OSError`."""
    while data:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            # Another process has made the terminal or pipe that both share non-blocking.
            select.select([], [descriptor], [])


def open_standard_streams() -> None:
    """Open the null device for each standard stream that is closed.

    Otherwise the next socket would get its number, and the log would be sent to its peer.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # The lowest number that is free, which is this one.
