"""A sample of a stream: receives events for a while, and reports how many of each kind."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from pf_exporter.diagnostics.result import CheckFailed, FailureClass, Notice, Outcome
from pf_exporter.errors import StreamError
from pf_exporter.packetfabric import read_events
from pf_exporter.state import AccountStats, Store
from pf_exporter.stream import EventProcessor

MIN_SECONDS = 3.0
"""Seconds to listen after the first event: unknown events and fields are rarely among the first."""
_POLL_SECONDS = 0.2


class Stream(Protocol):
    """An open stream, such as :class:`pf_exporter.packetfabric.StreamingResponse`."""

    @property
    def was_shut_down(self) -> bool:
        """Whether ``shutdown`` ended it."""

    def chunks(self) -> Iterator[bytes]:
        """Yield its bytes; raises :class:`StreamError` at the end."""

    def shutdown(self) -> None:
        """End it, from another thread."""

    def close(self) -> None:
        """Free its connection."""


def _present(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count)


class StreamSample:
    """Opens a stream and receives its events into ``store`` and ``stats``.

    The first byte, and the first event, may take ``within`` seconds each. ``listen`` is the minimum time to
    receive events, in seconds.
    """

    def __init__(
        self,
        open_stream: Callable[[], Stream],
        store: Store,
        stats: AccountStats,
        *,
        within: float,
        listen: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_stream = open_stream
        self._stream: Stream | None = None
        self._chunks: Iterable[bytes] = ()
        self._store = store
        self._stats = stats
        self._within = within
        self._listen = listen
        self._clock = clock
        self._seconds_to_first_event: float | None = None

    def receive_first_byte(self) -> Outcome:
        """Open the stream and wait for its first bytes; a proxy that buffers would delay them."""
        self._stream = stream = self._open_stream()
        start = self._clock()
        timer = threading.Timer(self._within, stream.shutdown)
        timer.daemon = True
        timer.start()
        chunks = stream.chunks()
        try:
            first = next(chunks)
        except StreamError:
            if not stream.was_shut_down:
                raise
            remedy = "wait longer with --within, or look for a proxy that buffers the stream"
            raise CheckFailed(FailureClass.NO_DATA, f"no data within {self._within:g} s", remedy) from None
        finally:
            timer.cancel()
        self._chunks = itertools.chain([first], chunks)
        kind = "a heartbeat" if first.startswith(b":") else "an event"
        return f"{kind} after {self._clock() - start:.1f} s"

    def receive_events(self) -> Outcome:
        """Receive events until there are enough, or there was none in time; needs the first byte."""
        stream = self._stream
        assert stream is not None
        processor = EventProcessor(self._store, self._stats)
        start = self._clock()
        is_done = threading.Event()
        watcher = threading.Thread(target=self._shut_down_in_time, args=(stream, start, is_done), daemon=True)
        watcher.start()
        try:
            for frame in read_events(self._chunks, processor.reject):
                processor.process(frame)
                if self._seconds_to_first_event is None:
                    self._seconds_to_first_event = self._clock() - start
        except StreamError:
            if not stream.was_shut_down:
                raise
        finally:
            is_done.set()
            watcher.join()
        return self._summary()

    def close(self) -> None:
        """Close the stream."""
        if self._stream is not None:
            self._stream.close()

    def _shut_down_in_time(self, stream: Stream, start: float, is_done: threading.Event) -> None:
        """Shut down the stream when there are enough events, unless it ends before."""
        while True:
            first = self._seconds_to_first_event
            enough = self._within if first is None else first + min(MIN_SECONDS, self._within)
            left = start + max(self._listen, enough) - self._clock()
            if left <= 0:
                stream.shutdown()
                return
            if is_done.wait(min(left, _POLL_SECONDS)):
                return

    def _summary(self) -> Outcome:
        first = self._seconds_to_first_event
        if first is None:
            return Notice(
                f"heartbeats, but no event within {self._within:g} s",
                "wait longer, for example with --within 5m; without active circuits there are no events",
            )
        message = f"first event after {first:.1f} s; {_present(self._stats.events)}"
        if rejected := _present(self._stats.rejected):
            return Notice(
                f"{message}; rejected: {rejected}",
                "inspect the events with pf-exporter tail --raw, and report them",
            )
        return message
