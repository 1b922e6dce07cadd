"""One open stream: what it sends, how fast, and how it ends."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterator

from starlette.types import Receive, Scope, Send

from pf_exporter.simulator.account import Bundle
from pf_exporter.simulator.context import Context
from pf_exporter.simulator.network import Event

_HEARTBEAT = b":\n\n"
_CHUNK = 32_768
_GRACE = 0.3


def frame(event: Event) -> bytes:
    """The event as it goes over the wire."""
    name, data = event
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


class Stream:
    """The answer to ``GET /v2/events/{uuid}``, an ASGI application for one request."""

    def __init__(self, bundle: Bundle, world: Context) -> None:
        self.bundle = bundle
        self._options = world.options
        self._clock = world.clock
        self._network = world.network
        self._account = world.account
        self._faults = world.faults
        self._ledger = world.ledger
        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        self._cut = False
        self._sent = 0
        self._last_sent = self._loop.time()
        self._logged = len(world.account.log)
        self._known = world.clock()

    def end(self) -> None:
        """Let it come to an orderly end; from any thread, while the server runs."""
        self._loop.call_soon_threadsafe(self._ending.set)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the connection's time is up, the session ends, the reader leaves, or :meth:`end`."""
        headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        # An empty chunk makes the headers leave before there is anything to tell.
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        self._ended = asyncio.create_task(self._ending.wait())
        watching = asyncio.create_task(self._watch(receive))
        timer = self._loop.call_later(self._options.max_connection, self._ending.set)
        try:
            await self._run(send)
            self._ending.set()
            if not self._cut:
                await self._write(send, b"", more=False)
        finally:
            timer.cancel()
            watching.cancel()
            self._ended.cancel()

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._ending.set()

    async def _pause(self, seconds: float) -> None:
        """Wait, but no longer than until the stream is to end."""
        try:
            await asyncio.wait_for(self._ending.wait(), max(0.0, seconds))
        except asyncio.TimeoutError:
            return

    async def _run(self, send: Send) -> None:
        interval = self._options.interval
        sample = math.floor(self._known / interval) * interval
        due = self._loop.time()
        while not self._ending.is_set() and self._account.access(self.bundle.token):
            if self._loop.time() >= due:
                await self._send_frames(send, self._frames(sample))
                # At the round times of the clock, so that all readers are told the same. Always one further,
                # because a timer may go off a moment early; and none made up for, if the reader was slow.
                now = self._clock()
                due = self._loop.time() + min(interval, max(0.0, sample + interval - now))
                sample = max(sample + interval, math.floor(now / interval) * interval)
            beat = self._last_sent + self._options.heartbeat
            if self._loop.time() >= beat:
                if not self._silent():
                    self._ledger.add("heartbeats")
                    await self._write(send, _HEARTBEAT)
                beat = self._loop.time() + self._options.heartbeat
            await self._pause(min(due, beat) - self._loop.time())

    def _events(self, sample: float) -> Iterator[Event]:
        yield from self._account.log[self._logged :]
        self._logged = len(self._account.log)
        now = self._clock()
        yield from self._network.activity(now, self._known)
        self._known = now
        if self.bundle.measures():
            yield from self._network.measurements(sample)
            if "out-of-order" in self._faults:
                yield from self._network.measurements(sample - self._options.interval)

    def _frames(self, sample: float) -> Iterator[bytes]:
        return self._faults.distort(
            frame(event) for event in self._events(sample) if self.bundle.wants(event)
        )

    def _silent(self) -> bool:
        limit = self._faults.number("stream-silence")
        return limit is not None and self._sent >= limit

    async def _send_frames(self, send: Send, frames: Iterator[bytes]) -> None:
        """Send in chunks; faults are asked before each event, for they come and go."""
        buffer = bytearray()
        for one in frames:
            if self._silent() or self._ending.is_set():
                break
            limit = self._faults.number("stream-cut")
            if limit is not None and self._sent >= limit:
                await self._write(send, bytes(buffer) + one[: len(one) // 2])
                self._cut = True
                self._ending.set()
                return
            buffer += one
            self._sent += 1
            self._ledger.add("events")
            slow = self._faults.number("stream-slow")
            if slow is not None or len(buffer) >= _CHUNK:
                await self._write(send, bytes(buffer))
                buffer.clear()
                await self._pause(slow or 0.0)
        if buffer:
            await self._write(send, bytes(buffer))

    async def _write(self, send: Send, chunk: bytes, *, more: bool = True) -> None:
        message = {"type": "http.response.body", "body": chunk, "more_body": more}
        sending = asyncio.ensure_future(send(message))
        await asyncio.wait({sending, self._ended}, return_when=asyncio.FIRST_COMPLETED)
        # It is to end, but there is a reader that does not read: not for ever.
        if not sending.done():
            await asyncio.wait({sending}, timeout=_GRACE)
        if sending.cancel():
            self._cut = True
        self._last_sent = self._loop.time()
