"""Output that a signal can interrupt while its reader does not read."""

from __future__ import annotations

import os
import select

from pf_exporter.process import SignalWaiter

CHUNK = 512
"""Bytes that a pipe or terminal takes at once when it is writable."""


class Blocked(Exception):
    """The reader takes no more, and a signal has arrived or the time is up."""


class Output:
    """Writes text to a pipe, file or terminal."""

    def __init__(self, descriptor: int, signals: SignalWaiter, encoding: str) -> None:
        self.descriptor = descriptor
        self._signals = signals
        self._encoding = encoding

    def write(self, text: str, patience: float | None = None) -> None:
        """Write all of the text; raises ``OSError``, and :class:`Blocked` after ``patience`` seconds."""
        data = text.encode(self._encoding, errors="replace")
        while data:
            interrupts = [] if patience is not None else [self._signals]
            _, writable, _ = select.select(interrupts, [self.descriptor], [], patience)
            if not writable:
                raise Blocked
            try:
                data = data[os.write(self.descriptor, data[:CHUNK]) :]
            except BlockingIOError:
                continue  # Another process has made the terminal or pipe that both share non-blocking.
