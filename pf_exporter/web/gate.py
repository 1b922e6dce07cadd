"""Who gets in: the policy's headers, rate and users stand before every page."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pf_exporter.settings import WebSettings
from pf_exporter.web.limits import HEALTH, NoBodies, Patience, Places
from pf_exporter.web.policy import Policy
from pf_exporter.web.users import Crowded, Doorman


class Bucket:
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


class Gate:
    """An application with the policy in front of it; ``open_paths`` need no user."""

    def __init__(self, app: ASGIApp, policy: Policy, *, open_paths: Collection[str] = ()) -> None:
        self._app = app
        self._policy = policy
        self._open_paths = frozenset(open_paths)
        self._doorman = Doorman()
        self._bucket = Bucket(0, 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, as ASGI has it."""
        config = self._policy.config()

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(config.headers)
            await send(message)

        if self._bucket.rate != (config.interval, config.burst):
            self._bucket = Bucket(config.interval, config.burst)
        app = self._app
        if not self._bucket.take():
            app = PlainTextResponse("Too Many Requests\n", 429)
        elif config.users and scope["path"] not in self._open_paths:
            authorization = Headers(scope=scope).get("authorization", "")
            try:
                if not await self._doorman.admits(authorization, config.users):
                    challenge = {"WWW-Authenticate": 'Basic realm="pf_exporter", charset="UTF-8"'}
                    app = PlainTextResponse("Unauthorized\n", 401, headers=challenge)
            except Crowded:
                app = PlainTextResponse("Too many passwords to check, try again later.\n", 503)
        await app(scope, receive, with_headers)


def guard(app: ASGIApp, policy: Policy, settings: WebSettings) -> ASGIApp:
    """The application behind everything that a request has to pass, the outermost last."""
    limited = Patience(Places(app, settings.max_requests))
    return Gate(NoBodies(limited), policy, open_paths=HEALTH if settings.open_health else ())
