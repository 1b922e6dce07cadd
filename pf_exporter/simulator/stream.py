"""One open stream: its events, its pace and its end."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator

from starlette.types import Receive, Scope, Send

from pf_exporter.simulator.account import Account
from pf_exporter.simulator.context import Context
from pf_exporter.simulator.counters import Count
from pf_exporter.simulator.events import Event, encode_event
from pf_exporter.simulator.faults import Fault
from pf_exporter.simulator.subscription import Subscription

_HEARTBEAT = b":\n\n"
_CHUNK_BYTES = 32_768
_WRITE_GRACE = 0.3
"""Seconds that the last write may take when the stream is ending."""


class EventStream:
    """The response to ``GET /v2/events/{uuid}``, an ASGI application for one request."""

    def __init__(self, subscription: Subscription, context: Context) -> None:
        self.subscription = subscription
        self._options = context.options
        self._wall = context.wall
        self._network = context.network
        self._account = context.account
        self._faults = context.faults
        self._counters = context.counters
        self._loop = asyncio.get_running_loop()
        self._ending: asyncio.Future[None] = self._loop.create_future()
        self._broken = False
        """Whether to omit the last chunk, so that the reader sees a broken connection."""
        self._sent = 0
        self._last_write = self._loop.time()
        self._log_position = len(context.account.log)
        self._activity_until = context.wall()

    def end(self) -> None:
        """End the stream in an orderly way; callable from any thread while the server runs."""
        self._loop.call_soon_threadsafe(self._set_ending)

    def _set_ending(self) -> None:
        if not self._ending.done():
            self._ending.set_result(None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until ``max_connection``, the end of the session, a disconnect, or :meth:`end`."""
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        # uvicorn sends the headers with the first chunk, even if that is empty.
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        disconnect = asyncio.create_task(self._wait_for_disconnect(receive))
        timer = self._loop.call_later(self._options.max_connection, self._set_ending)
        try:
            await self._run(send)
            self._set_ending()
            if not self._broken:
                await self._write(send, b"", more=False)
        finally:
            timer.cancel()
            disconnect.cancel()

    async def _wait_for_disconnect(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._set_ending()

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than until the stream is ending."""
        await asyncio.wait({self._ending}, timeout=max(0.0, seconds))

    async def _run(self, send: Send) -> None:
        interval = self._options.interval
        sample = math.floor(self._activity_until / interval) * interval
        due = self._loop.time()
        while not self._ending.done() and self._account.access(self.subscription.token):
            if self._loop.time() >= due:
                await self._send_frames(send, self._frames(sample))
                # Samples are at multiples of the interval, so that all readers receive the same ones. Advance
                # by at least one, because a timer can fire early; skip those that a slow reader has missed.
                now = self._wall()
                due = self._loop.time() + min(interval, max(0.0, sample + interval - now))
                sample = max(sample + interval, math.floor(now / interval) * interval)
            beat = self._last_write + self._options.heartbeat
            if self._loop.time() >= beat:
                if not self._is_silent():
                    self._counters.increment(Count.HEARTBEATS)
                    await self._write(send, _HEARTBEAT)
                beat = self._loop.time() + self._options.heartbeat
            await self._pause(min(due, beat) - self._loop.time())

    def _events(self, sample: float) -> Iterator[Event]:
        log = self._account.log
        yield from log[self._log_position :]
        self._log_position = len(log)
        now = self._wall()
        yield from self._network.activity(now, self._activity_until)
        self._activity_until = now
        if self.subscription.has_measurements():
            yield from self._network.measurements(sample)
            if Fault.OUT_OF_ORDER in self._faults:
                yield from self._network.measurements(sample - self._options.interval)

    def _frames(self, sample: float) -> Iterator[bytes]:
        return self._faults.distort(
            encode_event(self._faults.falsify(event))
            for event in self._events(sample)
            if self.subscription.includes(event)
        )

    def _is_silent(self) -> bool:
        limit = self._faults.number(Fault.STREAM_SILENCE)
        return limit is not None and self._sent >= limit

    async def _send_frames(self, send: Send, frames: Iterator[bytes]) -> None:
        """Send frames in chunks; check the faults before each frame, because they can change at any time."""
        buffer = bytearray()
        for frame in frames:
            if self._is_silent() or self._ending.done():
                break
            limit = self._faults.number(Fault.STREAM_CUT)
            if limit is not None and self._sent >= limit:
                await self._write(send, bytes(buffer) + frame[: len(frame) // 2])
                self._broken = True
                self._set_ending()
                return
            buffer += frame
            self._sent += 1
            self._counters.increment(Count.EVENTS)
            delay = self._faults.number(Fault.STREAM_SLOW)
            if delay is not None or len(buffer) >= _CHUNK_BYTES:
                await self._write(send, bytes(buffer))
                buffer.clear()
                await self._pause(delay or 0.0)
        if buffer:
            await self._write(send, bytes(buffer))

    async def _write(self, send: Send, chunk: bytes, *, more: bool = True) -> None:
        """Send a chunk; when the stream is ending, give up on a reader that does not read."""
        sending = asyncio.ensure_future(
            send({"type": "http.response.body", "body": chunk, "more_body": more})
        )
        await asyncio.wait({sending, self._ending}, return_when=asyncio.FIRST_COMPLETED)
        if not sending.done():
            await asyncio.wait({sending}, timeout=_WRITE_GRACE)
        if sending.cancel():
            self._broken = True
        self._last_write = self._loop.time()


class OpenStreams:
    """The streams that are open; modified by the server's thread only."""

    def __init__(self) -> None:
        self._streams: set[EventStream] = set()

    def __len__(self) -> int:
        return len(self._streams)

    def add(self, stream: EventStream) -> None:
        """Add a stream that opens."""
        self._streams.add(stream)

    def discard(self, stream: EventStream) -> None:
        """Remove a stream that has ended."""
        self._streams.discard(stream)

    def of_subscription(self, subscription: Subscription) -> list[EventStream]:
        """Return the open streams of one subscription."""
        return [stream for stream in self._streams if stream.subscription is subscription]

    def end_unauthorized(self, account: Account) -> None:
        """End the streams whose token is no longer valid."""
        for stream in self._streams:
            if not account.access(stream.subscription.token):
                stream.end()

    def end_all(self) -> None:
        """End every stream in an orderly way; callable from any thread."""
        for stream in list(self._streams):
            stream.end()
