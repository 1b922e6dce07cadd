"""A thread that writes lines to a file descriptor, so that no other thread waits for a blocked pipe."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pf_exporter.descriptor import write_all

MAX_LINES = 1000
"""Lines that may wait; the writer may hold as many again."""


class LineWriter:
    """Writes lines in order on its own thread; drops and counts what its queue cannot hold.

    ``notice`` formats the line that reports how many lines were dropped.
    """

    def __init__(self, descriptor: int, notice: Callable[[int], str]) -> None:
        self.dropped = 0
        """Lines that were not written: the queue was full, the write failed, or the writer was closed."""
        self._descriptor = descriptor
        self._notice = notice
        self._changed = threading.Condition()
        self._lines: list[str] = []
        self._unreported = 0
        self._writing = False
        self._closed = False
        # A daemon, since a blocked write cannot be interrupted.
        threading.Thread(target=self._run, name="log", daemon=True).start()

    def put(self, line: str) -> None:
        """Queue a line without its newline; never blocks."""
        with self._changed:
            if self._closed or len(self._lines) >= MAX_LINES:
                self.dropped += 1
                self._unreported += 1
                return
            self._lines.append(line)
            self._changed.notify_all()

    def flush(self, timeout: float) -> bool:
        """Wait until every queued line is written, for at most ``timeout`` seconds; return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._lines or self._writing), timeout)

    def close(self) -> None:
        """Accept no more lines; the thread ends after it has written the queued ones."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._closed)
                if not self._lines:
                    return
                lines, self._lines = self._lines, []
                unreported, self._unreported = self._unreported, 0
                self._writing = True
            failed = sum(not self._write(line) for line in lines)
            # Lines are dropped while the queue is full: after those in it, before any later one.
            if unreported and self._write(self._notice(unreported)):
                unreported = 0
            with self._changed:
                self.dropped += failed
                self._unreported += failed + unreported
                self._writing = False
                self._changed.notify_all()

    def _write(self, line: str) -> bool:
        try:
            write_all(self._descriptor, f"{line}\n".encode(errors="backslashreplace"))
        except OSError:
            return False
        return True
