"""One rotation: a thread opens the next stream while the reader still reads the current one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from pf_exporter.errors import ExporterError
from pf_exporter.stream.subscription import OpenStream, Subscription
from pf_exporter.supervised_thread import SupervisedThread


class Rotation:
    """One attempt to replace the current stream without a gap.

    Its thread opens the next stream, waits for its first bytes, lets both streams run for ``overlap`` seconds
    and shuts the current one down, which wakes the reader. The thread changes nothing else: what a result
    means is up to the reader, who may have given up long before it is there.
    """

    def __init__(
        self,
        subscription: Subscription,
        current: OpenStream,
        *,
        account: str,
        overlap: float,
        failed: Callable[[BaseException], None],
    ) -> None:
        self._subscription = subscription
        self._current = current
        self._overlap = overlap
        self._overlap_over = threading.Event()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._given_up = False
        self._next: OpenStream | None = None
        self.error: ExporterError | None = None
        """Why there is no next stream, once that is known."""
        self._thread = SupervisedThread(
            self._run, name=f"stream {account} next", failed=failed, account=account
        )

    def start(self) -> None:
        """Start to open the next stream."""
        self._thread.start()

    def _run(self) -> None:
        try:
            stream = self._open()
        except ExporterError as exc:
            self.end(None, exc)
            return
        if not self.end(stream):
            stream.response.close()
        self._overlap_over.wait(self._overlap)
        self._current.response.shutdown()

    def _open(self) -> OpenStream:
        stream = self._subscription.open_second()
        try:
            return replace(stream, first_chunk=next(stream.response.chunks()))
        except ExporterError:
            stream.response.close()
            raise

    def end(self, stream: OpenStream | None, error: ExporterError | None = None) -> bool:
        """Hand over the result, for the thread. Return False if the reader has given up waiting for it."""
        with self._lock:
            self.error = error
            self._next = None if self._given_up else stream
            self._ended.set()
            return not self._given_up

    def skip_overlap(self) -> None:
        """Keep the thread from waiting: the current stream has ended. Any thread may call."""
        self._overlap_over.set()

    def wait(self, seconds: float) -> OpenStream | None:
        """Return the next stream, for the reader: as soon as it is there, or None after ``seconds``."""
        self._ended.wait(seconds)
        with self._lock:
            self._given_up = True
            return self._next
