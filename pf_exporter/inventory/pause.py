"""The wait between two polls, which other threads can end."""

from __future__ import annotations

import threading


class Pause:
    """Waits for one thread; :meth:`stop` ends every wait, :meth:`refresh` one that has lasted long enough.

    ``stopping`` and ``requested`` are events that are not set yet.
    """

    def __init__(
        self, stopping: threading.Event | None = None, requested: threading.Event | None = None
    ) -> None:
        self._stopping = stopping or threading.Event()
        self._requested = requested or threading.Event()

    def stop(self) -> None:
        """End this wait and all later ones; any thread may call."""
        self._stopping.set()
        self._requested.set()

    def refresh(self) -> None:
        """End the wait, or the next one, after its minimum; any thread may call."""
        self._requested.set()

    @property
    def stopped(self) -> bool:
        """Whether all waits have been ended."""
        return self._stopping.is_set()

    @property
    def refresh_requested(self) -> bool:
        """Whether the next wait ends after its minimum."""
        return self._requested.is_set()

    def sleep(self, seconds: float) -> bool:
        """Wait for these seconds, whatever is requested; return False if :meth:`stop` ended the wait."""
        return not self._stopping.wait(seconds)

    def wait(self, minimum: float, maximum: float) -> None:
        """Wait for ``maximum`` seconds; a refresh ends the wait after ``minimum`` seconds."""
        if not self._stopping.wait(minimum):
            self._requested.wait(maximum - minimum)
        self._requested.clear()
