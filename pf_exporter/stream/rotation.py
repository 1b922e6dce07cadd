"""One rotation: a thread opens the next stream while the reader still reads the current one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from pf_exporter.errors import ExporterError
from pf_exporter.stream.drain import Drain, DrainLimits
from pf_exporter.stream.held_stream import HeldStream
from pf_exporter.stream.subscription import OpenStream, Subscription
from pf_exporter.supervised_thread import SupervisedThread


class Rotation:
    """One attempt to replace the current stream without a gap and without losing an event.

    Its thread opens the next stream and waits for its first bytes. Then a second thread reads the next stream
    ahead, while the first one waits until the current stream has brought all that is not on the next one, and
    shuts it down, which wakes the reader. The threads change nothing else: what a result means is up to the
    reader, who may have given up long before it is there.
    """

    def __init__(
        self,
        subscription: Subscription,
        current: OpenStream,
        *,
        account: str,
        limits: DrainLimits,
        on_failure: Callable[[BaseException], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._subscription = subscription
        self._current = current
        self._account = account
        self._drain = Drain(limits)
        self._on_failure = on_failure
        self._clock = clock
        self._changed = threading.Event()
        self._current_ended = False
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._given_up = False
        self._next: OpenStream | None = None
        self.was_cut = False
        """Whether the current stream was shut down at the deadline, while it still brought events."""
        self.error: ExporterError | None = None
        """Why there is no next stream, once that is known."""
        self._thread = self._new_thread(self._run, "next")

    def _new_thread(self, work: Callable[[], None], name: str) -> SupervisedThread:
        name = f"stream {self._account} {name}"
        return SupervisedThread(work, name=name, on_failure=self._on_failure, account=self._account)

    def start(self) -> None:
        """Start to open the next stream."""
        self._thread.start()

    def _run(self) -> None:
        try:
            stream, held = self._open()
        except ExporterError as exc:
            self.end(None, exc)
            return
        self._drain.start(self._clock())
        self._new_thread(held.run, "ahead").start()
        if self.end(stream):
            self._end_current()
        else:
            stream.close()

    def _open(self) -> tuple[OpenStream, HeldStream]:
        stream = self._subscription.open_second(self._current.session)
        held = HeldStream(stream.response)
        try:
            held.read_first()
        except ExporterError:
            stream.close()
            raise
        return stream._replace(held=held), held

    def _end_current(self) -> None:
        """Shut the current stream down as soon as nothing is lost by that, or at the deadline."""
        due = float("inf")
        while not self._current_ended:
            now = self._clock()
            self._drain.stopped(max(now - due, 0.0))
            left = self._drain.ends_at - now
            if left <= 0:
                self.was_cut = self._drain.cuts_backlog
                self._current.response.shutdown()
                return
            step = min(left, self._drain.step)
            due = now + step
            self._changed.wait(step)
            self._changed.clear()

    def end(self, stream: OpenStream | None, error: ExporterError | None = None) -> bool:
        """Hand over the result, for the thread. Return False if the reader has given up waiting for it."""
        with self._lock:
            self.error = error
            self._next = None if self._given_up else stream
            self._ended.set()
            return not self._given_up

    def take_keys(self) -> Iterable[int]:
        """Return the keys of the events that the next stream has brought since the last call."""
        stream = self._next
        return () if stream is None or stream.held is None else stream.held.take_keys()

    def event_received(self, at: float) -> None:
        """Record that the current stream has brought bytes of an event."""
        self._drain.event_received(at)

    def caught_up(self, at: float) -> None:
        """Record that all later events of the current stream are on the next one, too."""
        if self._drain.caught_up(at):
            self._changed.set()

    def current_ended(self) -> None:
        """Record that the current stream needs no shutdown. Any thread may call."""
        self._current_ended = True
        self._changed.set()

    def wait(self, seconds: float) -> OpenStream | None:
        """Return the next stream, for the reader: as soon as it is there, or None after ``seconds``."""
        self._ended.wait(seconds)
        with self._lock:
            self._given_up = True
            return self._next
