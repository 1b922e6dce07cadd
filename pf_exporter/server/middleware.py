"""ASGI middleware: web configuration file, request limits, scrape timeout."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pf_exporter.config import WebSettings
from pf_exporter.server.basic_auth import BasicAuth, QueueFull
from pf_exporter.server.reloader import WebConfigReloader

HEALTH = ("/-/healthy", "/-/ready")
"""What probes ask for: cheap, and needed most when there is much to do."""
SCRAPE_TIMEOUT = "x-prometheus-scrape-timeout-seconds"
SHARE = 0.9
"""Of the scraper's time-out, for making the page; the rest is for sending and reading it."""


class RejectBody:
    """Refuses requests that bring a body; no page of ours takes one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as ASGI has it."""
        headers = Headers(scope=scope)
        app = self._app
        if "transfer-encoding" in headers or headers.get("content-length", "0") != "0":
            # The connection ends too, so that what the client goes on sending is not read.
            app = PlainTextResponse("No body, please.\n", 413, headers={"Connection": "close"})
        await app(scope, receive, send)


class ConcurrencyLimit:
    """At most so many requests at once, any more get 503; 0 is no limit. Health is answered all the same."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit
        self._taken = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as ASGI has it."""
        if scope["path"] in HEALTH:
            await self._app(scope, receive, send)
            return
        if 0 < self._limit <= self._taken:
            text = f"Limit of concurrent requests reached ({self._limit}), try again later.\n"
            await PlainTextResponse(text, 503)(scope, receive, send)
            return
        self._taken += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._taken -= 1


def _patience(headers: Headers) -> float | None:
    """Seconds in which the scraper must have its answer begun; None if it does not say."""
    try:
        seconds = float(headers.get(SCRAPE_TIMEOUT, ""))
    except ValueError:
        return None
    return seconds * SHARE if 0 < seconds < math.inf else None


class ScrapeTimeout:
    """Answers 503 when the page will not be ready within the time-out that the scraper announces.

    The work goes on, and keeps its place, since a thread cannot be interrupted; its answer is thrown away.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._late: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as ASGI has it."""
        seconds = _patience(Headers(scope=scope))
        if seconds is None:
            await self._app(scope, receive, send)
            return
        began = asyncio.Event()
        gave_up = False

        async def attentive(message: Message) -> None:
            if not gave_up:
                began.set()
                await send(message)

        work = asyncio.ensure_future(self._run(scope, receive, attentive))
        start = asyncio.ensure_future(began.wait())
        await asyncio.wait({work, start}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        start.cancel()
        if work.done() or began.is_set():
            await work
            return
        gave_up = True
        self._late.add(work)
        work.add_done_callback(self._forget)
        await PlainTextResponse("The page is not ready in time.\n", 503)(scope, receive, send)

    def _forget(self, work: asyncio.Task[None]) -> None:
        self._late.discard(work)
        if not work.cancelled():
            work.exception()  # Starlette has told of it already.

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


class TokenBucket:
    """A bucket of tokens: one comes each ``interval`` seconds, ``burst`` fit in, a request takes one."""

    def __init__(self, interval: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = (interval, burst)
        self._clock = clock
        self._tokens = float(burst)
        self._counted = clock()

    def take(self) -> bool:
        """Whether there was one; always, where the interval is 0."""
        interval, burst = self.rate
        if not interval:
            return True
        now = self._clock()
        self._tokens = min(self._tokens + (now - self._counted) / interval, float(burst))
        self._counted = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class WebConfigMiddleware:
    """An application with the policy in front of it; ``open_paths`` need no user."""

    def __init__(self, app: ASGIApp, policy: WebConfigReloader, *, open_paths: Collection[str] = ()) -> None:
        self._app = app
        self._policy = policy
        self._open_paths = frozenset(open_paths)
        self._doorman = BasicAuth()
        self._bucket = TokenBucket(0, 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as ASGI has it."""
        config = self._policy.config()

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(config.headers)
            await send(message)

        if self._bucket.rate != (config.interval, config.burst):
            self._bucket = TokenBucket(config.interval, config.burst)
        app = self._app
        if not self._bucket.take():
            app = PlainTextResponse("Too Many Requests\n", 429)
        elif config.users and scope["path"] not in self._open_paths:
            authorization = Headers(scope=scope).get("authorization", "")
            try:
                if not await self._doorman.admits(authorization, config.users):
                    challenge = {"WWW-Authenticate": 'Basic realm="pf_exporter", charset="UTF-8"'}
                    app = PlainTextResponse("Unauthorized\n", 401, headers=challenge)
            except QueueFull:
                app = PlainTextResponse("Too many passwords to check, try again later.\n", 503)
        await app(scope, receive, with_headers)


def guard(app: ASGIApp, policy: WebConfigReloader, settings: WebSettings) -> ASGIApp:
    """The application behind everything that a request has to pass, the outermost last."""
    limited = ScrapeTimeout(ConcurrencyLimit(app, settings.max_requests))
    return WebConfigMiddleware(RejectBody(limited), policy, open_paths=HEALTH if settings.open_health else ())
