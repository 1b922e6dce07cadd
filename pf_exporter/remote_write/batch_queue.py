"""The finished batches of one endpoint in memory, bounded in bytes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from pf_exporter.remote_write.batch import Batch
from pf_exporter.remote_write.loss import Loss

BATCH_OVERHEAD = 200
"""Bytes of memory that a batch takes besides its body."""


class BatchQueue:
    """A queue bounded in bytes: the oldest batches leave it when it is full. Any thread may call.

    ``lost`` is called with the reason and the number of samples that are dropped.
    """

    def __init__(self, limit: int, lost: Callable[[Loss, int], None]) -> None:
        self._limit = limit
        self._lost = lost
        self._condition = threading.Condition()
        self._batches: deque[Batch] = deque()
        self._size = 0
        self._closed = False
        self.samples = 0
        """Samples that wait."""

    def put(self, batch: Batch) -> None:
        """Add a batch; the oldest are dropped if they no longer fit."""
        with self._condition:
            self._batches.append(batch)
            self._add(batch, 1)
            while self._size > self._limit and len(self._batches) > 1:
                oldest = self._batches.popleft()
                self._add(oldest, -1)
                self._lost(Loss.QUEUE_FULL, oldest.samples)
            self._condition.notify()

    def _add(self, batch: Batch, sign: int) -> None:
        self._size += sign * (len(batch.body) + BATCH_OVERHEAD)
        self.samples += sign * batch.samples

    def take(self) -> Batch | None:
        """Wait for the oldest batch and remove it; None if the queue is closed and empty."""
        with self._condition:
            while not self._batches and not self._closed:
                self._condition.wait()
            if not self._batches:
                return None
            batch = self._batches.popleft()
            self._add(batch, -1)
            return batch

    def done(self) -> None:
        """Note that the batch that was taken is sent or lost; there is nothing to do."""

    def put_back(self, batch: Batch) -> None:
        """Put the batch that was taken back to where it was."""
        with self._condition:
            self._batches.appendleft(batch)
            self._add(batch, 1)

    def close(self) -> None:
        """Let :meth:`take` return None once the queue is empty."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def dispose(self) -> None:
        """Drop everything, because the exporter stops."""
        with self._condition:
            samples, self.samples = self.samples, 0
            self._batches.clear()
            self._size = 0
        self._lost(Loss.STOPPED, samples)
