"""One rotation of a stream: the next one is opened while the present one is read."""

from __future__ import annotations

import threading

from pf_exporter.stream.subscription import OpenStream


class Rotation:
    """One attempt to have the next stream ready, by a thread that the reader may give up waiting for."""

    def __init__(self) -> None:
        self.alone = threading.Event()
        """Whether the present stream has ended, so that nothing need wait for it."""
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._given_up = False
        self._line: OpenStream | None = None

    def end(self, line: OpenStream | None) -> bool:
        """For the thread: this is what came of it. False if nobody wants it any more."""
        with self._lock:
            self._line = None if self._given_up else line
            self._over.set()
            return not self._given_up

    def wait(self, seconds: float) -> OpenStream | None:
        """For the reader: what came of it, at most so many seconds later."""
        self._over.wait(seconds)
        with self._lock:
            self._given_up = True
            return self._line
