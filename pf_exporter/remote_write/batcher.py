"""The thread that turns the rows of the stream into batches for one endpoint."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from pf_exporter.log import Logger
from pf_exporter.remote_write.batch import MAX_SAMPLES, Batch, build_batch
from pf_exporter.remote_write.loss import Loss
from pf_exporter.remote_write.series import Collected, RowItem, SeriesEncoder

MAX_DELAY = 1.0
"""Seconds until a row is in a finished batch, at the latest."""
POLL = MAX_DELAY / 2
"""Seconds until a row is encoded, and again until a batch that is not full is finished."""
WAKE_ITEMS = 200
"""Items that wait when the thread is woken; a row has about ten samples."""
SLICE_ITEMS = 1000
"""Items that are encoded at a time, in some milliseconds."""
READER_SHARE = 3
"""How much CPU time the other threads get for that of a slice, so that the reader is not slowed down."""
MAX_PAUSES = 8
"""The longest pause after a slice, as a multiple of its CPU time: the reader may have nothing to do."""

Item = RowItem | Collected


class Batcher:
    """Turns the rows for an endpoint into batches of ``MAX_SAMPLES``, or of what waits for ``MAX_DELAY``.

    ``put`` takes a finished batch, without waiting for the receiver. ``limit`` is how many rows may wait; the
    oldest are dropped. ``tick`` is called every ``POLL`` seconds by the thread that runs :meth:`run`.
    """

    def __init__(
        self,
        endpoint: str,
        encoder: SeriesEncoder,
        put: Callable[[Batch], None],
        lost: Callable[[Loss, int], None],
        *,
        limit: int,
        tick: Callable[[], None] = lambda: None,
        wall: Callable[[], float],
    ) -> None:
        self._endpoint = endpoint
        self._encoder = encoder
        self._put = put
        self._lost = lost
        self._limit = limit
        self._tick = tick
        self._wall = wall
        self._log = Logger(__name__)
        self._items: deque[Item] = deque()
        self._dropped = 0
        """Samples that :meth:`offer` has dropped."""
        self._counted = 0
        """Those of them that are counted."""
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._series: list[bytes] = []
        self._newest_ms = 0
        self._full_at = 0.0
        """When the present batch must be finished, by the monotonic clock."""

    @property
    def waiting(self) -> int:
        """How many rows wait."""
        return len(self._items)

    @property
    def is_busy(self) -> bool:
        """Whether there are rows that are not in a finished batch yet."""
        return bool(self._items or self._series)

    def offer(self, item: Item) -> None:
        """Take a row; never waits. The reader's thread calls this for every event."""
        items = self._items
        items.append(item)
        count = len(items)
        if count >= WAKE_ITEMS:
            if count == WAKE_ITEMS:
                self._wake.set()
            elif count > self._limit:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        try:
            oldest = self._items.popleft()
        except IndexError:  # the other thread took them all meanwhile
            return
        # Counted by the other thread, which has the time.
        self._dropped += len(oldest.row.values) if isinstance(oldest, RowItem) else 1

    def _count_dropped(self) -> None:
        dropped = self._dropped
        if dropped > self._counted:
            self._lost(Loss.QUEUE_FULL, dropped - self._counted)
            self._counted = dropped

    def run(self) -> None:
        """Work until :meth:`stop`; then finish what waits, with stale markers for all series."""
        next_tick = time.monotonic() + POLL
        while not self._stopping.is_set():
            now = time.monotonic()
            until = min(next_tick, self._full_at) if self._series else next_tick
            if len(self._items) < WAKE_ITEMS:
                self._wake.wait(max(until - now, 0.0))
            self._wake.clear()
            started = time.thread_time()
            self._drain(SLICE_ITEMS)
            self._pause(time.thread_time() - started)
            now = time.monotonic()
            if self._series and now >= self._full_at:
                self._finish()
            if now >= next_tick:
                self._count_dropped()
                self._tick()
                next_tick = now + POLL
        self._drain(len(self._items))
        self._add(self._encoder.end(), round(self._wall() * 1000))
        self._finish()
        self._count_dropped()

    def _pause(self, used: float) -> None:
        """Leave the interpreter to the reader after a slice that used so much CPU time.

        Measured in CPU time of the process: on a busy machine the reader needs longer for its share.
        """
        start = time.process_time()
        for _ in range(MAX_PAUSES):
            if self._stopping.wait(used) or time.process_time() - start >= READER_SHARE * used:
                return

    def stop(self) -> None:
        """Ask the thread to finish."""
        self._stopping.set()
        self._wake.set()

    def _drain(self, limit: int) -> None:
        """Encode what waits, at most ``limit`` items."""
        items, encoder = self._items, self._encoder
        now_ms = round(self._wall() * 1000)
        for _ in range(min(len(items), limit)):
            try:
                item = items.popleft()
            except IndexError:  # the other thread dropped the oldest meanwhile
                return
            if isinstance(item, RowItem):
                series, ms, loss = encoder.row(item, now_ms)
                if loss is not None:
                    self._refuse(loss, item)
            else:
                series, ms = encoder.collected(item), item.ms
            if series:
                self._add(series, ms)

    def _refuse(self, loss: Loss, item: RowItem) -> None:
        self._lost(loss, len(item.row.values) - item.row.values.count(None))
        if loss is not Loss.OUT_OF_ORDER:
            self._log.warning_throttled(
                loss,
                "samples not sent",
                endpoint=self._endpoint,
                reason=loss,
                account=item.account,
                event=item.event.name,
                remedy="check this machine's clock",
            )

    def _add(self, series: list[bytes], ms: int) -> None:
        if not self._series:
            self._full_at = time.monotonic() + POLL
        self._series += series
        self._newest_ms = max(self._newest_ms, ms)
        while len(self._series) >= MAX_SAMPLES:
            self._finish()

    def _finish(self) -> None:
        series, self._series = self._series[:MAX_SAMPLES], self._series[MAX_SAMPLES:]
        if series:
            self._put(build_batch(series, self._newest_ms))
        if not self._series:
            self._newest_ms = 0
