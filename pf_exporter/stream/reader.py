"""Reads one account's stream on a thread, and reconnects or replaces it until told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from pf_exporter.config import StreamSettings
from pf_exporter.errors import ExporterError, NextStep, StreamEnded, StreamIdle
from pf_exporter.log import Logger
from pf_exporter.packetfabric import CALL_DEADLINE, SessionManager, read_events
from pf_exporter.recording import Mark
from pf_exporter.state import AccountStats, StreamState
from pf_exporter.stream.deduplicator import Deduplicator
from pf_exporter.stream.drain import DrainLimits
from pf_exporter.stream.event_sink import EventSink
from pf_exporter.stream.retry import RetrySchedule
from pf_exporter.stream.rotation import Rotation
from pf_exporter.stream.subscription import OpenStream, Subscription
from pf_exporter.supervised_thread import SupervisedThread

NOT_STREAMING = "not streaming"
KICK_WINDOW = 5.0
"""Seconds after the opening of the next stream during which the end of the current one is blamed on it."""
MAX_HEARTBEAT_BYTES = 64
CUT_REMEDY = (
    "look for a slow link, or give the exporter more CPU: it receives events faster than it reads them"
)
ROTATION_RETRY = 60.0
"""Seconds after a failed rotation until the next one."""
PROGRESS_MARGIN = 2 * CALL_DEADLINE
"""Seconds beyond the longest time that a step may take, after which the thread counts as stuck."""

log = Logger(__name__)


class StreamReader:
    """Reads one account's stream on its own thread.

    All state belongs to that thread; :meth:`stop` and :meth:`join` are for others. ``on_failure`` is called
    with the exception if the account cannot be read any more: because of an unexpected exception, or of an
    error that only the user can correct.
    """

    def __init__(
        self,
        subscription: Subscription,
        session_manager: SessionManager,
        sink: EventSink,
        stats: AccountStats,
        settings: StreamSettings,
        *,
        on_failure: Callable[[BaseException], None],
        drain: DrainLimits = DrainLimits(),  # noqa: B008  # immutable
        retry: RetrySchedule | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._subscription = subscription
        self._session_manager = session_manager
        self._sink = sink
        self._stats = stats
        self._account = stats.account
        self._rotate_after = settings.rotate_after or float("inf")
        self._retry = retry or RetrySchedule(settings)
        self._idle_timeout = settings.idle_timeout
        self._on_failure = on_failure
        self._drain = drain
        self._clock = clock
        self._deduplicator = Deduplicator(clock=clock)
        self._stopping = threading.Event()
        self._rotate_at = float("inf")
        self._rotation: Rotation | None = None
        # A login, a subscription, the opening and the first byte, each as slow as it may be.
        self._rotation_timeout = 3 * CALL_DEADLINE + 2 * settings.idle_timeout
        self._thread = SupervisedThread(
            self._run,
            name=f"stream {self._account}",
            on_failure=self._thread_failed,
            clock=clock,
            account=self._account,
        )

    def _thread_failed(self, exc: BaseException) -> None:
        self._stats.stopped()
        self._on_failure(exc)

    @property
    def is_stuck(self) -> bool:
        """Whether the thread runs, but takes longer than any step of it may. Any thread may read."""
        return self._thread.is_stuck

    def start(self) -> None:
        """Start to connect and read."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end. The caller also aborts the client, so that nothing is waited for."""
        self._stopping.set()

    def join(self, timeout: float | None) -> bool:
        """Wait for the thread, at most ``timeout`` seconds; return whether it has ended."""
        return self._thread.join(timeout)

    def _run(self) -> None:
        """Open a stream, read until it ends, and again; wait in between if the error asks for it."""
        stream: OpenStream | None = None
        while not self._stopping.is_set():
            try:
                if stream is None:
                    stream = self._open()
                self._read(stream)
            except ExporterError as exc:
                if exc.next_step is NextStep.EXIT:
                    self._stats.lost(exc.reason, StreamState.STOPPED, message=str(exc))
                    self._on_failure(exc)
                    return
                ended, stream = stream, None
                was_planned = ended is not None and ended.response.was_shut_down
                if not was_planned and not self._stopping.is_set():
                    self._count(exc, ended)
                if self._rotation is not None:
                    stream = self._take_next(self._rotation, was_planned=was_planned)
                if stream is None and not self._stopping.is_set():
                    self._recover(exc, ended)
        if stream is not None:
            stream.close()
        self._stats.stopped()

    def _open(self) -> OpenStream:
        self._thread.progress(self._rotation_timeout + PROGRESS_MARGIN)
        stream = self._subscription.open()
        self._stats.opened()
        self._session_manager.logout_replaced(stream.session)
        self._session_manager.failures.resolved(NOT_STREAMING)
        log.info("streaming", account=self._account)
        return stream

    def _read(self, stream: OpenStream) -> None:
        """Process everything that a stream brings. Always ends with the error that ended the stream."""
        self._rotate_in(min(self._rotate_after, self._session_manager.renew_at - self._clock()))
        sink, is_repeat = self._sink, self._deduplicator.is_repeat
        try:
            for event in read_events(sink.tap(self._chunks(stream)), sink.reject):
                if not is_repeat(event):
                    sink.process(event)
        finally:
            stream.close()

    def _chunks(self, stream: OpenStream) -> Iterator[bytes]:
        """Yield the stream's chunks; here, because the parser drops heartbeats, which count as life, too."""
        stats, clock = self._stats, self._clock
        for chunk in stream.chunks():
            self._thread.progress(self._idle_timeout + PROGRESS_MARGIN)
            stats.bytes += len(chunk)
            stats.last_byte_at = now = clock()
            if self._rotation is not None:
                if self._stopping.is_set():
                    raise StreamEnded("stream: the exporter is stopping")
                self._follow_rotation(self._rotation, chunk, now)
            elif now >= self._rotate_at or self._subscription.stale:
                self._start_rotation(stream)
            yield chunk

    def _last_sign_of_life(self, stream: OpenStream) -> float:
        return max(self._stats.last_byte_at, stream.opened_at)

    def _count(self, exc: ExporterError, ended: OpenStream | None) -> None:
        """Count the error that ended a stream or prevented one; the gap of a silent stream began earlier."""
        since = None
        if ended is not None and isinstance(exc, StreamIdle):
            since = self._last_sign_of_life(ended)
        self._stats.lost(exc.reason, StreamState.CONNECTING, since, message=str(exc))

    def _recover(self, exc: ExporterError, ended: OpenStream | None) -> None:
        """Wait for as long as the error that ended a stream or prevented one asks for."""
        lifetime = None if ended is None else self._last_sign_of_life(ended) - ended.opened_at
        delay = self._retry.delay(exc, lifetime, self._session_manager.retry_delay)
        self._thread.progress(delay + PROGRESS_MARGIN)
        self._session_manager.failures.failed(NOT_STREAMING, exc, delay)
        if delay:
            self._stats.waiting(delay)
        self._stopping.wait(delay)
        if not self._stopping.is_set():
            self._stats.connecting()

    def _rotate_in(self, seconds: float) -> None:
        self._rotate_at = self._clock() + seconds
        self._stats.rotation_planned(seconds)

    # Rotation: the next stream is opened and has brought its first bytes before the current one is ended.

    def _start_rotation(self, current: OpenStream) -> None:
        self._sink.mark(Mark.ROTATION_STARTED)
        self._deduplicator.rotation_started()
        self._rotation = Rotation(
            self._subscription,
            current,
            account=self._account,
            limits=self._drain,
            on_failure=self._thread_failed,
            clock=self._clock,
        )
        self._rotation.start()

    def _follow_rotation(self, rotation: Rotation, chunk: bytes, now: float) -> None:
        """Tell a rotation what the current stream has brought."""
        if rotation.error is not None:
            self._abandon_rotation(rotation)
            return
        self._deduplicator.expect(rotation.take_keys())
        if len(chunk) > MAX_HEARTBEAT_BYTES or not chunk.startswith(b":"):
            rotation.event_received(now)
        if self._deduplicator.has_caught_up:
            rotation.caught_up(now)

    def _abandon_rotation(self, rotation: Rotation) -> None:
        self._rotation = None
        self._rotate_in(ROTATION_RETRY)
        self._sink.mark(Mark.ROTATION_ABANDONED)
        self._deduplicator.rotation_abandoned()
        error = rotation.error
        if error is not None and not self._stopping.is_set():
            self._session_manager.failures.failed("stream not renewed", error, ROTATION_RETRY)

    def _take_next(self, rotation: Rotation, *, was_planned: bool) -> OpenStream | None:
        """Return the stream that a rotation has prepared to follow the one that ended, if there is one."""
        rotation.current_ended()
        self._thread.progress(self._rotation_timeout + PROGRESS_MARGIN)
        stream = rotation.wait(self._rotation_timeout)
        if stream is None:
            self._abandon_rotation(rotation)
            return None
        self._rotation = None
        self._sink.mark(Mark.ROTATION_SWITCHED)
        self._deduplicator.rotation_switched()
        if was_planned:
            self._stats.rotated(was_cut=rotation.was_cut)
            if rotation.was_cut:
                log.warning("backlog of the old stream lost", account=self._account, remedy=CUT_REMEDY)
        else:
            if self._clock() - stream.opened_at < KICK_WINDOW:
                self._subscription.single_connection = True
            self._stats.opened(stream.opened_at)
        self._session_manager.logout_replaced(stream.session)
        log.info("stream renewed", account=self._account)
        return stream
