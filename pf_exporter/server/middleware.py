"""ASGI middleware: request limits, the scrape timeout, and the web configuration file."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pf_exporter.server.basic_auth import BasicAuth
from pf_exporter.server.connection import MAX_HEADER_BYTES
from pf_exporter.server.connections import STALL_GRACE
from pf_exporter.server.health import HEALTH_PATH, READY_PATH
from pf_exporter.server.reloader import WebConfigReloader
from pf_exporter.server.turns import QueueFull

HEALTH_PATHS = (HEALTH_PATH, READY_PATH)
"""Paths of probes: cheap to answer, and exempt from the concurrency and the rate limit."""
SCRAPE_TIMEOUT_HEADER = "x-prometheus-scrape-timeout-seconds"
ROOM_ATTEMPTS = 20
"""Times that a request above the limit looks for room, ``STALL_GRACE`` apart, until it gets 503."""
RENDER_SHARE = 0.9
"""Part of the scrape timeout for rendering the page; the rest is for sending and reading it."""


class RequestLimit:
    """Answers 431 to requests with too long headers, and 413 to those with a body; no page takes one.

    The parser bounds only headers that arrive in parts.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        headers = Headers(scope=scope)
        app = self._app
        # With it the connection is closed, so that a body is not read.
        close = {"Connection": "close"}
        size = len(scope.get("raw_path") or b"") + len(scope["query_string"])
        size += sum(len(name) + len(value) + len(": \r\n") for name, value in scope["headers"])
        if size > MAX_HEADER_BYTES:
            app = PlainTextResponse(f"The headers are larger than {MAX_HEADER_BYTES} bytes.\n", 431, close)
        elif "transfer-encoding" in headers or headers.get("content-length", "0") != "0":
            app = PlainTextResponse("Requests must not have a body.\n", 413, close)
        await app(scope, receive, send)


class ConcurrencyLimit:
    """Answers 503 to requests above ``limit`` at once; 0 is no limit. Health probes are always answered.

    A client that does not read its response gives way to another request.
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit
        self._active = 0

    async def _make_room(self, scope: Scope) -> bool:
        """If there are too many requests, disconnect a client that does not read, or wait for room."""
        drop_longest_stalled: Callable[[], bool] = scope["state"]["drop_longest_stalled"]
        for _ in range(ROOM_ATTEMPTS):
            if not 0 < self._limit <= self._active or drop_longest_stalled():
                return True
            await asyncio.sleep(STALL_GRACE)
        return False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["path"] in HEALTH_PATHS:
            await self._app(scope, receive, send)
            return
        if not await self._make_room(scope):
            text = f"Limit of concurrent requests reached ({self._limit}), try again later.\n"
            await PlainTextResponse(text, 503)(scope, receive, send)
            return
        self._active += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._active -= 1


def _render_timeout(headers: Headers) -> float | None:
    """Seconds until the response has to begin; None if the client announces no scrape timeout."""
    try:
        seconds = float(headers.get(SCRAPE_TIMEOUT_HEADER, ""))
    except ValueError:
        return None
    return seconds * RENDER_SHARE if seconds > 0 else None


class ScrapeTimeout:
    """Answers 503 when the page is not ready within the scrape timeout that the client announces.

    A thread cannot be interrupted: rendering continues, counts as an active request until it ends, and its
    result is discarded.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        seconds = _render_timeout(Headers(scope=scope))
        if seconds is None:
            await self._app(scope, receive, send)
            return
        begun = asyncio.get_running_loop().create_future()
        has_timed_out = False

        async def send_in_time(message: Message) -> None:
            if not has_timed_out:
                if not begun.done():
                    begun.set_result(None)
                await send(message)

        response = asyncio.ensure_future(self._respond(scope, receive, send_in_time))
        await asyncio.wait({response, begun}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if not response.done() and not begun.done():
            has_timed_out = True
            late = PlainTextResponse("The page was not ready within the scrape timeout.\n", 503)
            await late(scope, receive, send)
        await response

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


class TokenBucket:
    """A rate limit: one token arrives every ``interval`` seconds, at most ``burst`` are kept."""

    def __init__(self, interval: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = (interval, burst)
        self._clock = clock
        self._tokens = float(burst)
        self._updated_at = clock()

    def take(self) -> bool:
        """Take a token; False if there is none. An interval of 0 is no limit."""
        interval, burst = self.rate
        if not interval:
            return True
        now = self._clock()
        self._tokens = min(self._tokens + (now - self._updated_at) / interval, float(burst))
        self._updated_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class WebConfigMiddleware:
    """Applies headers, rate limit and users of the web configuration file; ``open_paths`` need no user."""

    def __init__(
        self,
        app: ASGIApp,
        reloader: WebConfigReloader,
        *,
        open_paths: Collection[str] = (),
        basic_auth: BasicAuth | None = None,
    ) -> None:
        self._app = app
        self._reloader = reloader
        self._open_paths = frozenset(open_paths)
        self._basic_auth = basic_auth or BasicAuth()
        self._bucket = TokenBucket(0, 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        config = self._reloader.config()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(config.headers)
            await send(message)

        if self._bucket.rate != (config.interval, config.burst):
            self._bucket = TokenBucket(config.interval, config.burst)
        app = self._app
        if scope["path"] not in HEALTH_PATHS and not self._bucket.take():
            app = PlainTextResponse("Too Many Requests\n", 429)
        elif config.users and scope["path"] not in self._open_paths:
            authorization = Headers(scope=scope).get("authorization", "")
            try:
                client = (scope.get("client") or ("",))[0]
                if not await self._basic_auth.authenticate(authorization, config.users, client=client):
                    challenge = {"WWW-Authenticate": 'Basic realm="pf_exporter", charset="UTF-8"'}
                    app = PlainTextResponse("Unauthorized\n", 401, headers=challenge)
            except QueueFull:
                app = PlainTextResponse("Too many passwords to check, try again later.\n", 503)
        await app(scope, receive, send_with_headers)


def guard(
    app: ASGIApp,
    reloader: WebConfigReloader,
    *,
    max_requests: int = 0,
    open_health: bool = False,
    basic_auth: BasicAuth | None = None,
) -> ASGIApp:
    """The application behind every check a request has to pass; the outermost is the web configuration.

    With ``open_health`` health probes need no user.
    """
    limited = ScrapeTimeout(ConcurrencyLimit(app, max_requests))
    open_paths = HEALTH_PATHS if open_health else ()
    return WebConfigMiddleware(RequestLimit(limited), reloader, open_paths=open_paths, basic_auth=basic_auth)
