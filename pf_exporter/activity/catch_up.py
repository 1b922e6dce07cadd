"""Reads from the REST API what one account's stream of activity log entries has missed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pf_exporter.activity.counter import ActivityCounter
from pf_exporter.activity.log_reader import read_activity_log
from pf_exporter.activity.windows import MARGIN, Window, Windows
from pf_exporter.errors import ExporterError, Forbidden, Rejected
from pf_exporter.log import Logger
from pf_exporter.packetfabric import Backoff, Client, SessionManager
from pf_exporter.state import AccountStats, CatchUpResult, Gap
from pf_exporter.supervised_thread import SupervisedThread

MIN_INTERVAL = 30.0
"""Seconds between two reads: a stream that is lost again and again must not become a load for the API."""
RETRY = Backoff(10.0, 300.0)
"""Seconds from a failed read to the next one."""
DAY = 86_400.0
"""Seconds that are read at once, which bounds the memory."""
NOT_READ = "activity log not read"


class CatchUp:
    """Reads the log of every gap of the stream, on its own thread, and merges it with what was streamed.

    The first time it also reads the ``at_start`` seconds before; 0 turns it off. ``on_failure`` is
    called with the exception if the thread dies.
    """

    def __init__(
        self,
        client: Client,
        session_manager: SessionManager,
        counter: ActivityCounter,
        stats: AccountStats,
        *,
        at_start: float,
        on_failure: Callable[[BaseException], None],
        min_interval: float = MIN_INTERVAL,
        retry: Backoff = RETRY,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._session_manager = session_manager
        self._counter = counter
        self._stats = stats
        self._account = stats.account
        self._at_start = at_start
        self._min_interval = min_interval
        self._retry = self._first_retry = retry
        self._wall = wall
        self._log = Logger(__name__)
        self._windows = Windows()
        self._has_started = False
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = SupervisedThread(
            self._run, name=f"activity {self._account}", on_failure=on_failure, account=self._account
        )

    def start(self) -> None:
        """Start to wait for gaps, if there is something to catch up with."""
        if self._at_start and self._stats.categories:
            self._stats.gaps.on_gap = self.add_gap
            self._thread.start()

    def take_over(self, previous: CatchUp) -> None:
        """Read what a previous one, which has ended, still had to read; call this before the start."""
        self._windows.put_back(previous._windows.take_all())

    def stop(self) -> None:
        """Request the end of the thread; the caller also aborts the client, which ends an open request."""
        self._stopping.set()
        self._wake.set()

    def join(self, timeout: float) -> bool:
        """Wait for the thread, at most ``timeout`` seconds; return whether it has ended."""
        return self._thread.join(timeout)

    def add_gap(self, gap: Gap) -> None:
        """Request that a gap is filled; the stream's thread calls this when it has opened a stream."""
        self._counter.stream_opened()
        self._windows.add(gap.start, gap.end, MARGIN if self._has_started else self._at_start)
        self._has_started = True
        self._wake.set()

    # The thread: wait until a window is due, read it, and wait a little before the next.

    def _run(self) -> None:
        while True:
            self._wake.clear()
            if self._stopping.is_set():
                return
            windows = self._windows.take(self._wall())
            if not windows:
                due = self._windows.next_due()
                self._wake.wait(None if due == float("inf") else max(due - self._wall(), 0.0))
                continue
            delay = self._min_interval
            for index, window in enumerate(windows):
                try:
                    is_possible = self._fill(window)
                except ExporterError as exc:
                    if self._stopping.is_set():
                        self._windows.put_back(windows[index:])
                        return
                    delay = self._recover(exc, windows[index:])
                    break
                if not is_possible:
                    self._give_up()
                    return
            self._stopping.wait(delay)

    def _fill(self, window: Window) -> bool:
        """Read and merge a window, a day at a time; return False if a merge is impossible."""
        start = window.start
        while start < window.end:
            end = min(start + DAY, window.end)
            rows = read_activity_log(self._client, self._session_manager.get(), start, end)
            if not self._counter.merge(rows, start, self._stats.categories):
                return False
            start = end
        self._session_manager.failures.resolved(NOT_READ)
        self._retry = self._first_retry
        return True

    def _recover(self, exc: ExporterError, windows: list[Window]) -> float:
        """Count and log an error; return the seconds to wait."""
        self._stats.caught_up[CatchUpResult.FAILED] += 1
        delay = max(self._retry.delay(1.0), getattr(exc, "retry_after", None) or 0.0)
        if isinstance(exc, Forbidden | Rejected):
            # The account may not read the log, or there is none: the next gap is soon enough to ask again.
            self._log.warning_throttled(
                NOT_READ,
                "activity log not available; entries of gaps are not counted",
                every=float("inf"),
                account=self._account,
                reason=exc.reason,
                error=exc,
            )
        else:
            self._retry = self._retry.next()
            self._windows.put_back(windows)
            self._session_manager.failures.failed(NOT_READ, exc, delay)
        return delay

    def _give_up(self) -> None:
        self._stats.gaps.on_gap = lambda gap: self._counter.stream_opened()
        self._log.error(
            "activity log not merged any more: none of the streamed entries is in it at its time",
            account=self._account,
            remedy="set activity.catch_up to 0, and report it with a recording",
        )
