"""The finished batches of one endpoint on disk, in files that are only appended to and deleted as a whole."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections import deque
from collections.abc import Callable

from pf_exporter.errors import ConfigError
from pf_exporter.log import Logger
from pf_exporter.remote_write.batch import Batch
from pf_exporter.remote_write.batch_queue import BatchQueue
from pf_exporter.remote_write.loss import Loss
from pf_exporter.remote_write.segment import Record, Segment, segment_numbers
from pf_exporter.remote_write.spool_position import SpoolPosition

SEGMENTS = 16
"""How many segments a full spool has: the oldest one is dropped at a time."""
MAX_SEGMENT_BYTES = 16 << 20
RETRY_AFTER = 30.0
"""Seconds until writing is tried again after an error."""


class Spool:
    """A queue on disk, bounded in bytes, that a restart continues; any thread may call.

    A batch that cannot be written, because the disk is full, goes to ``memory`` and is sent after those on
    disk; as soon as the disk can be written again, ``memory`` moves there. Raises :class:`ConfigError` if the
    folder cannot be used.
    """

    def __init__(
        self,
        folder: str,
        limit: int,
        lost: Callable[[Loss, int], None],
        memory: BatchQueue,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._limit = limit
        self._lost = lost
        self._memory = memory
        self._clock = clock
        self._log = Logger(__name__)
        self._condition = threading.Condition()
        self._closed = False
        self._segments: deque[Segment] = deque()
        self._offset = 0
        """Where the next batch begins in the first segment."""
        self._taken: tuple[Segment, Record] | None = None
        self._retry_at = float("-inf")
        self.problem = ""
        """Why nothing can be written at the moment; empty while it works."""
        try:
            os.makedirs(folder, 0o700, exist_ok=True)
            self._lock_fd = os.open(
                os.path.join(folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._position = SpoolPosition(folder)
            self._load()
        except BlockingIOError:
            raise ConfigError([f"spool {folder}: another process uses it; give each its own"]) from None
        except OSError as exc:
            raise ConfigError([f"spool {folder}: {exc.strerror}; check spool.path"]) from None

    def _load(self) -> None:
        first, start = self._position.read()
        for number in segment_numbers(self._folder):
            segment = Segment(self._folder, number)
            if number < first:
                segment.delete()
                continue
            segment.scan(start if number == first else 0)
            self._segments.append(segment)
        if self._segments and self._segments[0].number == first:
            self._offset = min(start, self._segments[0].size)
        number = max(first, self._segments[-1].number if self._segments else 0) + 1
        self._segments.append(Segment(self._folder, number, create=True))
        self._sync_folder()
        self._delete_sent()

    def _sync_folder(self) -> None:
        fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    @property
    def samples(self) -> int:
        """Samples that wait, those of the batch being sent included."""
        with self._condition:
            return self._memory.samples + sum(segment.samples for segment in self._segments)

    @property
    def size(self) -> int:
        """Bytes on disk that wait to be sent."""
        with self._condition:
            return sum(segment.size for segment in self._segments) - self._offset

    def put(self, batch: Batch) -> None:
        """Append a batch and wait until it is on the disk; the oldest are dropped if they no longer fit."""
        with self._condition:
            if self._clock() < self._retry_at:
                self._memory.put(batch)
            else:
                self._put(batch)
            self._condition.notify()

    def _put(self, batch: Batch) -> None:
        try:
            while self._memory.samples:
                older = self._memory.take()
                if older is not None:
                    try:
                        self._append(older)
                    except OSError:
                        self._memory.put_back(older)
                        raise
            self._append(batch)
        except OSError as exc:
            self.problem = f"spool {self._folder}: {exc.strerror}"
            self._retry_at = self._clock() + RETRY_AFTER
            self._log.warning_throttled(
                "spool", "spool cannot be written; the queue in memory is used", error=self.problem
            )
            self._memory.put(batch)
        else:
            if self.problem:
                self._log.info("spool can be written again", path=self._folder)
                self.problem = ""

    def _append(self, batch: Batch) -> None:
        last = self._segments[-1]
        if last.size >= min(self._limit // SEGMENTS, MAX_SEGMENT_BYTES):
            last = Segment(self._folder, last.number + 1, create=True)
            self._segments.append(last)
            self._sync_folder()
        last.append(batch)
        while len(self._segments) > 1 and sum(segment.size for segment in self._segments) > self._limit:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        segment = self._segments.popleft()
        lost = segment.samples
        if self._taken is not None and self._taken[0] is segment:
            lost -= self._taken[1].batch.samples  # it is being sent
            self._taken = None
        self._offset = 0
        segment.delete()
        self._lost(Loss.SPOOL_FULL, lost)

    def take(self) -> Batch | None:
        """Wait for the oldest batch; None if the spool is closed and nothing waits."""
        with self._condition:
            while True:
                batch = self._next()
                if batch is not None or self._closed:
                    return batch
                self._condition.wait()

    def _next(self) -> Batch | None:
        while True:
            segment = self._segments[0]
            if self._offset < segment.size:
                record = segment.read(self._offset)
                if record is not None:
                    self._taken = segment, record
                    return record.batch
                self._lost(Loss.SPOOL_DAMAGED, segment.samples)
                segment.samples, self._offset = 0, segment.size
            if len(self._segments) == 1:
                return self._memory.take() if self._memory.samples else None
            self._delete_sent()

    def _delete_sent(self) -> None:
        while len(self._segments) > 1 and self._offset >= self._segments[0].size:
            self._segments.popleft().delete()
            self._offset = 0

    def done(self) -> None:
        """Note that the batch that was taken is sent or lost."""
        with self._condition:
            if self._taken is None:
                return
            (segment, record), self._taken = self._taken, None
            segment.samples -= record.batch.samples
            self._offset = record.end
            with contextlib.suppress(OSError):  # it would only be sent again
                self._position.write(segment.number, record.end)
            self._delete_sent()

    def put_back(self, batch: Batch) -> None:
        """Keep the batch that was taken, which is on disk already unless it came from memory."""
        with self._condition:
            if self._taken is None:
                self._memory.put_back(batch)
            self._taken = None

    def close(self) -> None:
        """Let :meth:`take` return None once nothing waits."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def dispose(self) -> None:
        """Close the files; what is on disk waits for the next start."""
        with self._condition:
            self._memory.dispose()
            for segment in self._segments:
                segment.close()
            self._position.close()
            os.close(self._lock_fd)
