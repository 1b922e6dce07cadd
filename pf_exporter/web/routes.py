"""The pages besides the metrics: status, readiness and reloading."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from pf_exporter.errors import ConfigError
from pf_exporter.web.status import StatusSources, status_context
from pf_exporter.web.status_page import page_headers, render_page

MAX_AGE = 1.0
"""Seconds for which a rendered status page is served again, however many clients request it."""


class _StatusPage:
    """The status page, rendered by one thread at a time."""

    def __init__(self, sources: Callable[[], StatusSources]) -> None:
        self._sources = sources
        self._rendering = asyncio.Lock()
        self._rendered_at = float("-inf")
        self._html = ""

    def _render(self) -> str:
        return render_page(status_context(self._sources()))

    async def get(self, request: Request) -> Response:
        """Respond with the page, at most ``MAX_AGE`` old."""
        async with self._rendering:
            if time.monotonic() - self._rendered_at > MAX_AGE:
                self._html = await run_in_threadpool(self._render)
                self._rendered_at = time.monotonic()
        return HTMLResponse(self._html, headers=page_headers())


def page_routes(
    sources: Callable[[], StatusSources],
    *,
    ready: Callable[[], bool],
    reload: Callable[[], None] | None,
) -> list[Route]:
    """The routes ``/``, ``/-/ready`` and ``/-/reload``; reloading is refused if ``reload`` is None.

    ``reload`` raises :class:`ConfigError` if the new configuration cannot be used.
    """
    status = _StatusPage(sources)
    reloading = asyncio.Lock()  # Requests wait here, and not in a thread of the pool each.

    async def get_ready(request: Request) -> Response:
        if ready():
            return PlainTextResponse("Ready.\n")
        return PlainTextResponse("Not every account has been subscribed yet.\n", 503)

    async def post_reload(request: Request) -> Response:
        if reload is None:
            return PlainTextResponse(
                "Lifecycle API is not enabled; --web.enable-lifecycle enables it.\n", 405
            )
        try:
            async with reloading:
                await run_in_threadpool(reload)
        except ConfigError as exc:
            problems = "\n".join(exc.problems)
            text = f"Not reloaded; the previous configuration stays in force.\n{problems}\n"
            return PlainTextResponse(text, 500)
        return PlainTextResponse("Reloaded.\n")

    return [
        Route("/", status.get),
        Route("/-/ready", get_ready),
        Route("/-/reload", post_reload, methods=["POST"]),
    ]
