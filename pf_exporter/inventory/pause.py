"""The wait between two polls, which other threads can end."""

from __future__ import annotations

import threading


class Pause:
    """Waits for one thread; :meth:`stop` ends every wait, :meth:`refresh` the one that may end early.

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
        """Request a poll of the lists; any thread may call."""
        self._requested.set()

    def refreshed(self) -> None:
        """Note, for the thread, that the poll that was requested begins now."""
        self._requested.clear()

    @property
    def stopped(self) -> bool:
        """Whether all waits have been ended."""
        return self._stopping.is_set()

    @property
    def refresh_requested(self) -> bool:
        """Whether a poll is requested that has not begun yet."""
        return self._requested.is_set()

    def sleep(self, seconds: float) -> bool:
        """Wait for these seconds, whatever is requested; return False if :meth:`stop` ended the wait."""
        return not self._stopping.wait(seconds)

    def wait(self, seconds: float, *, is_requested: bool) -> None:
        """Wait for these seconds, or until a poll is requested.

        ``is_requested`` is what the thread has read of :attr:`refresh_requested`: a request that ``seconds``
        already allow for does not end the wait, but one that came later does.
        """
        if is_requested:
            self._stopping.wait(seconds)
        else:
            self._requested.wait(seconds)
