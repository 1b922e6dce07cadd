"""A daemon thread whose unexpected end is logged and reported."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pf_exporter.log import Logger

log = Logger(__name__)


class SupervisedThread:
    """Runs ``work`` on a daemon thread and reports any exception that ends it.

    ``on_failure`` is called on that thread with the exception, after it was logged together with ``fields``,
    such as the account. A thread that ends by itself reports nothing. A thread that calls
    :meth:`progress` is recognized as stuck: in an endless loop, or in a call that never returns.
    """

    def __init__(
        self,
        work: Callable[[], object],
        *,
        name: str,
        on_failure: Callable[[BaseException], None],
        clock: Callable[[], float] = time.monotonic,
        **fields: object,
    ) -> None:
        self._work = work
        self._on_failure = on_failure
        self._fields = fields
        self._clock = clock
        self._progress_until = float("inf")
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as exc:  # the top of a thread: nothing above could report it
            log.exception("thread died of an unexpected exception", thread=self._thread.name, **self._fields)
            self._on_failure(exc)

    @property
    def name(self) -> str:
        """The name of the thread."""
        return self._thread.name

    @property
    def is_stuck(self) -> bool:
        """Whether the thread runs, but has not shown the progress it announced."""
        return self._thread.is_alive() and self._clock() > self._progress_until

    def progress(self, within: float) -> None:
        """Note, for the thread, that it has made progress, and will again within so many seconds."""
        self._progress_until = self._clock() + within

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread, at most ``timeout`` seconds; return whether it has ended or never started."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()
