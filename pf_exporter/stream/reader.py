"""The reader: keeps one account's subscription streaming into the store until told to stop."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from pf_exporter.config import StreamSettings
from pf_exporter.errors import (
    ApiError,
    ExporterError,
    Forbidden,
    LoginIncomplete,
    Rejected,
    Remedy,
    StreamBroken,
    StreamEnded,
    StreamIdle,
)
from pf_exporter.log import Logger
from pf_exporter.packetfabric import CALL_DEADLINE, Backoff, SessionManager, read_events
from pf_exporter.state import AccountStats, StreamState
from pf_exporter.stream.processor import EventProcessor
from pf_exporter.stream.rotation import Rotation
from pf_exporter.stream.subscription import OpenStream, Subscription
from pf_exporter.supervised_thread import SupervisedThread

GOOD_LIFE = 60.0
"""Seconds after which a stream counts as a success and waiting begins anew from its minimum."""
OVERLAP = 1.0
"""Seconds for which both streams stay open when one replaces the other: a server may take a moment from the
first byte of a stream to its first event."""
RENEW_AGAIN = 60.0
"""Seconds until a renewal that failed is tried again."""

log = Logger(__name__)


class StreamReader:
    """One account's stream, read on a thread of its own.

    ``failed`` is called with the exception if that thread, or the one that opens its next stream, ends by a
    bug: the process must not live on without it.
    """

    def __init__(
        self,
        subscription: Subscription,
        session_manager: SessionManager,
        processor: EventProcessor,
        stats: AccountStats,
        settings: StreamSettings,
        *,
        failed: Callable[[BaseException], None],
        good_life: float = GOOD_LIFE,
        linger: float = OVERLAP,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._subscription = subscription
        self._session_manager = session_manager
        self._processor = processor
        self._stats = stats
        self._account = stats.account
        self._rotate_after = settings.rotate_after or float("inf")
        self._backoff = Backoff(settings.backoff_min, settings.backoff_max)
        self._failed = failed
        self._good_life = good_life
        self._linger = linger
        self._clock = clock
        self._chance = chance
        self._stopping = threading.Event()
        self._renew_at = float("inf")
        self._renewal: Rotation | None = None
        # A login, a subscription, the opening, and the first byte, each as slow as it may be.
        self._renewal_within = 3 * CALL_DEADLINE + 2 * settings.idle_timeout
        self._thread = self._new_thread(self._run, f"stream {self._account}")

    def _new_thread(self, work: Callable[[], None], name: str) -> SupervisedThread:
        return SupervisedThread(work, name=name, failed=self._thread_failed, account=self._account)

    def _thread_failed(self, exc: BaseException) -> None:
        self._stats.stopped()
        self._failed(exc)

    def start(self) -> None:
        """Begin to connect and read."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end. Whoever calls also aborts the client, so that nothing is waited for."""
        self._stopping.set()
        renewal = self._renewal
        if renewal is not None:
            renewal.alone.set()

    def join(self, timeout: float) -> bool:
        """Wait for the thread, at most this many seconds; whether it has ended."""
        return self._thread.join(timeout)

    # The thread's life: open, read until that ends, and again; with a wait where the error asks for one.

    def _run(self) -> None:
        line: OpenStream | None = None
        while not self._stopping.is_set():
            try:
                if line is None:
                    line = self._subscription.open()
                    self._stats.opened()
                    self._session_manager.logout_replaced(line.session)
                    log.info("streaming", account=self._account)
                self._read(line)
            except ExporterError as exc:
                if exc.remedy is Remedy.EXIT:
                    self._stats.lost(exc.reason, StreamState.STOPPED)
                    self._failed(exc)
                    return
                ended, line = line, None
                if ended is not None:
                    line = self._succeed(ended, exc)
                if line is None and not self._stopping.is_set():
                    self._recover(exc, ended)
        if line is not None:
            line.stream.close()
        self._stats.stopped()

    def _read(self, line: OpenStream) -> None:
        """Take everything a stream brings. Ends by the error that ends the stream, always."""
        self._renew_at = min(self._clock() + self._rotate_after, self._session_manager.renew_at)
        try:
            for frame in read_events(self._processor.passing(self._bytes(line)), self._processor.reject):
                self._processor.take(frame)
        finally:
            line.stream.close()

    def _bytes(self, line: OpenStream) -> Iterator[bytes]:
        """The stream's bytes; heartbeats are not seen further on, so what they tell is learnt here."""
        stats, clock = self._stats, self._clock
        if line.first:
            stats.bytes += len(line.first)
            stats.last_byte_at = clock()
            yield line.first
        for chunk in line.stream.chunks():
            stats.bytes += len(chunk)
            stats.last_byte_at = now = clock()
            if now >= self._renew_at or self._subscription.stale:
                self._renew(line)
            yield chunk

    def _recover(self, exc: ExporterError, ended: OpenStream | None) -> None:
        """Count the error that ended a stream, or kept one from opening, and wait for as long as it asks."""
        # A stream lives as long as it is heard.
        last = None if ended is None else max(self._stats.last_byte_at, ended.opened)
        good = ended is not None and last is not None and last - ended.opened >= self._good_life
        if good:
            self._backoff = self._backoff.reset()
        # What was planned, or is mended by a new bundle or login, is not worth a wait; but only once.
        mended = isinstance(exc, StreamEnded) or exc.remedy is Remedy.RENEW
        at_once = (mended or (good and isinstance(exc, StreamBroken))) and not self._backoff.attempt
        delay = 0.0 if at_once else self._backoff.delay(self._chance())
        if isinstance(exc, ApiError):
            delay = max(delay, exc.retry_after or 0.0, self._session_manager.pause)
        if not (good and at_once):
            self._backoff = self._backoff.next()
        silent_since = last if isinstance(exc, StreamIdle) else None
        self._stats.lost(exc.reason, StreamState.BACKOFF if delay else StreamState.CONNECTING, silent_since)
        say = log.error if isinstance(exc, Forbidden | LoginIncomplete | Rejected) else log.warning
        say("not streaming", account=self._account, reason=exc.reason, error=exc, retry_in=round(delay, 1))
        self._stopping.wait(delay)
        if not self._stopping.is_set():
            self._stats.state = StreamState.CONNECTING

    # A stream about to end is renewed without a gap: the next is opened and heard, then this one is ended.

    def _renew(self, line: OpenStream) -> None:
        if self._renewal is not None:
            return
        self._renew_at = float("inf")
        self._processor.rotation_started()
        renewal = self._renewal = Rotation()
        work = partial(self._open_next, renewal, line)
        self._new_thread(work, f"stream {self._account} next").start()

    def _open_next(self, renewal: Rotation, present: OpenStream) -> None:
        """On a thread of its own: have the next stream ready, then wake the reader of the present one."""
        opened: OpenStream | None = None
        try:
            opened = self._subscription.open_second()
            opened = replace(opened, first=next(opened.stream.chunks()))
        except ExporterError as exc:
            if opened is not None:
                opened.stream.close()
            if renewal.end(None):
                self._processor.rotation_abandoned()
                self._renew_at = self._clock() + RENEW_AGAIN
                self._renewal = None
                if not self._stopping.is_set():
                    log.warning("stream not renewed", account=self._account, reason=exc.reason, error=exc)
        else:
            if not renewal.end(opened):
                opened.stream.close()
            renewal.alone.wait(self._linger)
            present.stream.shutdown()

    def _succeed(self, ended: OpenStream, exc: ExporterError) -> OpenStream | None:
        """The line that follows one that has ended, where one was prepared."""
        renewal, self._renewal = self._renewal, None
        if renewal is None:
            return None
        renewed = ended.stream.was_shut_down
        if not renewed:
            self._stats.lost(exc.reason, StreamState.CONNECTING)
            renewal.alone.set()
        line = renewal.wait(self._renewal_within)
        if line is None:
            self._processor.rotation_abandoned()
            return None
        self._processor.rotation_switched()
        if renewed:
            self._stats.rotated()
        else:
            # Opening the second stream ended the first.
            self._subscription.single_connection = True
            self._stats.opened(line.opened)
        self._session_manager.logout_replaced(line.session)
        log.info("stream renewed", account=self._account)
        return line
