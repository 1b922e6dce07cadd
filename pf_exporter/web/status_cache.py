"""The status page, rendered seldom however many clients request it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pf_exporter.web.page_query import PageQuery, parse_query
from pf_exporter.web.sources import StatusSources
from pf_exporter.web.status import StatusSnapshot, status_context, take_snapshot
from pf_exporter.web.status_page import page_headers, render_page

MAX_AGE = 1.0
"""Seconds for which the state that a status page shows is used again, however many clients request pages."""

MAX_PAGES = 8
"""Rendered pages that are kept for ``MAX_AGE``."""


class StatusCache:
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
