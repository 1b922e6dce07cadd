"""A daemon thread whose unexpected end is logged and reported."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pf_exporter.log import Logger

log = Logger(__name__)


class SupervisedThread:
    """Runs ``work`` on a daemon thread and reports any exception that ends it.

    ``failed`` is called on that thread with the exception, after it was logged together with ``fields``, such
    as the account. A thread that ends by itself reports nothing.
    """

    def __init__(
        self,
        work: Callable[[], object],
        *,
        name: str,
        failed: Callable[[BaseException], None],
        **fields: object,
    ) -> None:
        self._work = work
        self._failed = failed
        self._fields = fields
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as exc:  # the top of a thread: nothing above could report it
            log.exception("thread died of an unexpected exception", thread=self._thread.name, **self._fields)
            self._failed(exc)

    def start(self) -> None:
        """Start the thread; once."""
        self._thread.start()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread, at most ``timeout`` seconds; return whether it has ended or never started."""
        if self._thread.ident is not None:
            self._thread.join(timeout)
        return not self._thread.is_alive()
