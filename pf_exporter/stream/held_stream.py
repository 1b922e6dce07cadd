"""A stream that is read ahead until the reader takes it over."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pf_exporter.errors import EventError, StreamError
from pf_exporter.packetfabric import read_events
from pf_exporter.stream.deduplicator import MAX_REMEMBERED, event_key

if TYPE_CHECKING:  # Imported with the first request.
    from pf_exporter.packetfabric import StreamingResponse

MAX_HELD_BYTES = 4 << 20
"""Bytes that are held; beyond them the stream is not read, so that the server has to wait."""


def _ignore(error: EventError) -> None:
    """Do nothing: the reader parses the same bytes again, and counts what is wrong with them."""


class HeldStream:
    """The start of the next stream, which a thread reads while the reader is busy with the current one.

    :meth:`read_first` and :meth:`run` are for that thread; after them, :meth:`take_over` and :meth:`join` are
    for the reader.
    """

    def __init__(self, response: StreamingResponse, *, limit: int = MAX_HELD_BYTES) -> None:
        self._chunks = response.chunks()
        self._limit = limit
        self._changed = threading.Condition()
        self._held: deque[bytes] = deque()
        self._size = 0
        self._taken_over = False
        self._done = False
        self.is_paused = False
        """Whether it does not read, because enough is held."""
        self._error: StreamError | None = None
        self._keys: deque[int] = deque(maxlen=MAX_REMEMBERED)

    def read_first(self) -> None:
        """Wait for the first bytes; raises :class:`StreamError`."""
        self._hold(next(self._chunks))

    def _hold(self, chunk: bytes) -> None:
        # Wakes no one: once the stream is taken over, the thread ends right after this.
        self._held.append(chunk)
        self._size += len(chunk)

    def run(self) -> None:
        """Read ahead until the stream is taken over or ends."""
        try:
            for event in read_events(self._read_ahead(), _ignore):
                self._keys.append(event_key(event))
        finally:
            with self._changed:
                self._done = True
                self._changed.notify_all()

    def _read_ahead(self) -> Iterator[bytes]:
        yield from tuple(self._held)
        try:
            while self._may_read():
                chunk = next(self._chunks)
                self._hold(chunk)
                yield chunk
        except StreamError as exc:
            self._error = exc

    def _may_read(self) -> bool:
        with self._changed:
            if self._size >= self._limit:
                self.is_paused = True
                self._changed.wait_for(lambda: self._taken_over)
                self.is_paused = False
            return not self._taken_over

    def take_keys(self) -> Iterator[int]:
        """Yield the key of each event that was read since the last call; see :func:`event_key`."""
        keys = self._keys
        while keys:
            yield keys.popleft()

    def take_over(self) -> Iterator[bytes]:
        """Yield the chunks that were read ahead; what comes after them is for the caller to read.

        Raises the :class:`StreamError` that ended the stream.
        """
        self._release()
        while True:
            with self._changed:
                # The thread may be inside a read: it ends with the next chunk.
                self._changed.wait_for(lambda: self._held or self._done)
                if not self._held:
                    break
                chunk = self._held.popleft()
            yield chunk
        if self._error is not None:
            raise self._error

    def join(self) -> None:
        """Wait until no other thread reads; the caller has ended the stream."""
        self._release()
        with self._changed:
            self._changed.wait_for(lambda: self._done)

    def _release(self) -> None:
        with self._changed:
            self._taken_over = True
            self._changed.notify_all()
