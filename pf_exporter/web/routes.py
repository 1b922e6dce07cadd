"""The pages besides the metrics: status, readiness, gaps and reloading."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pf_exporter.errors import ConfigError
from pf_exporter.server import READY_PATH
from pf_exporter.web.page_query import PageQuery, parse_query
from pf_exporter.web.status import StatusSnapshot, StatusSources, status_context, take_snapshot
from pf_exporter.web.status_page import page_headers, render_page

MAX_AGE = 1.0
"""Seconds for which the state that a status page shows is used again, however many clients request pages."""

MAX_PAGES = 8
"""Rendered pages that are kept for ``MAX_AGE``."""


class _StatusPage:
    """The status page, rendered by one thread at a time, and for at most half of the time.

    So a flood of different searches leaves the other half to the streams.
    """

    def __init__(self, sources: Callable[[], StatusSources]) -> None:
        self._sources = sources
        self._rendering = asyncio.Lock()
        self._taken_at = float("-inf")
        self._snapshot: StatusSnapshot | None = None
        self._pages: dict[tuple[str, str], str] = {}
        """Pages of the snapshot, by the canonical URL of their query and the focus."""
        self._rest_until = float("-inf")

    def _render(self, query: PageQuery) -> str:
        """The page, for one thread at a time."""
        start = time.monotonic()
        if self._snapshot is None or start - self._taken_at > MAX_AGE:
            self._pages.clear()
            self._snapshot = take_snapshot(self._sources())
            self._taken_at = time.monotonic()
        key = (query.url(), query.focus)
        if key not in self._pages:
            if len(self._pages) >= MAX_PAGES:
                self._pages.clear()
            self._pages[key] = render_page(status_context(self._snapshot, query))
            end = time.monotonic()
            self._rest_until = end + (end - start)
        return self._pages[key]

    def _forget(self) -> None:
        """Free the memory of a state that is too old to be shown."""
        if not self._rendering.locked() and time.monotonic() - self._taken_at > MAX_AGE:
            self._snapshot = None
            self._pages.clear()

    async def get(self, request: Request) -> Response:
        """Respond with the page, at most ``MAX_AGE`` old."""
        query = parse_query(request.query_params)
        async with self._rendering:
            await asyncio.sleep(max(self._rest_until - time.monotonic(), 0.0))
            html = await run_in_threadpool(self._render, query)
        asyncio.get_running_loop().call_later(2 * MAX_AGE, self._forget)
        return HTMLResponse(html, headers=page_headers())


def page_routes(
    sources: Callable[[], StatusSources],
    *,
    ready: Callable[[], bool],
    reload: Callable[[], None] | None,
) -> list[Route]:
    """The routes ``/``, ``/-/ready``, ``/-/gaps`` and ``/-/reload``.

    Reloading is refused if ``reload`` is None; it raises :class:`ConfigError` if the new configuration cannot
    be used.
    """
    status = _StatusPage(sources)
    reloading = asyncio.Lock()  # Requests wait here, and not in a thread of the pool each.

    async def get_ready(request: Request) -> Response:
        if ready():
            return PlainTextResponse("Ready.\n")
        return PlainTextResponse("Not every account has been subscribed yet.\n", 503)

    async def get_gaps(request: Request) -> Response:
        gaps = {stats.account: stats.gaps.records() for stats in sources().accounts}
        return JSONResponse(
            {account: [gap._asdict() for gap in records] for account, records in gaps.items()}
        )

    async def post_reload(request: Request) -> Response:
        if reload is None:
            return PlainTextResponse(
                "Lifecycle API is not enabled; --web.enable-lifecycle enables it.\n", 403
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
        Route(READY_PATH, get_ready),
        Route("/-/gaps", get_gaps),
        Route("/-/reload", post_reload, methods=["POST"]),
    ]
