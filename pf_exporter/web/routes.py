"""The pages besides the metrics: the status page, readiness, and reloading."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from pf_exporter.errors import ConfigError
from pf_exporter.web import status

FRESH = 1.0
"""Seconds for which a status page is good: however many look, it is not made more often."""


class _StatusPage:
    """The status page, made by one thread at a time."""

    def __init__(self, view: Callable[[], status.StatusContext]) -> None:
        self._view = view
        self._turn = asyncio.Lock()
        self._made = float("-inf")
        self._page = ""

    async def get(self, request: Request) -> Response:
        """The page as it is, or was a second ago."""
        async with self._turn:
            if time.monotonic() - self._made > FRESH:
                self._page = await run_in_threadpool(lambda: status.page(self._view()))
                self._made = time.monotonic()
        return HTMLResponse(self._page, headers=status.HEADERS)


def page_routes(
    view: Callable[[], status.StatusContext],
    *,
    ready: Callable[[], bool],
    reload: Callable[[], None] | None,
) -> list[Route]:
    """What answers at ``/``, ``/-/ready`` and ``/-/reload``; reloading is refused where ``reload`` is None.

    ``reload`` raises :class:`ConfigError` if the new configuration cannot be used.
    """
    index = _StatusPage(view)
    turn = asyncio.Lock()  # Whoever waits shall not keep a thread waiting.

    async def readiness(request: Request) -> Response:
        if ready():
            return PlainTextResponse("Ready.\n")
        return PlainTextResponse("Not every account has been subscribed yet.\n", 503)

    async def reloading(request: Request) -> Response:
        if reload is None:
            return PlainTextResponse("Lifecycle API is not enabled: --web.enable-lifecycle does.\n", 405)
        try:
            async with turn:
                await run_in_threadpool(reload)
        except ConfigError as exc:
            problems = "\n".join(exc.problems)
            return PlainTextResponse(f"Not reloaded; what was in force stays in force.\n{problems}\n", 500)
        return PlainTextResponse("Reloaded.\n")

    return [
        Route("/", index.get),
        Route("/-/ready", readiness),
        Route("/-/reload", reloading, methods=["POST"]),
    ]
