"""The application: the metrics and health pages, and routes of other pages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from pf_exporter.metrics import DeflatedText, Format, Selection
from pf_exporter.server import HEALTH_PATH, HEALTHY
from pf_exporter.web.negotiation import preferred_format, prefers_gzip
from pf_exporter.web.page_response import OpenPages, PageResponse
from pf_exporter.web.page_selection import UnknownNameError, parse_selection


class MetricsPage(Protocol):
    """The metrics in a format, see :class:`pf_exporter.metrics.exposition.Exposition`."""

    def render(self, format: Format, selection: Selection, *, since: float) -> DeflatedText:
        """The page, or a part of it, as it was at the time ``since`` of the monotonic clock or later."""

    def accounts(self) -> Collection[str]:
        """The accounts that a page can be limited to."""


class _SingleFlight:
    """One rendering at a time, on a thread; requests that arrive meanwhile share its result.

    Those for another page, such as one in another format, share the lines. So a page is at most one rendering
    older than the request.
    """

    def __init__(self, page: MetricsPage) -> None:
        self._page = page
        self._rendering = asyncio.Lock()
        self._begun_at = 0.0
        """When the latest rendering began."""
        self._pending: dict[tuple[Format, Selection], asyncio.Task[DeflatedText]] = {}

    async def get(self, format: Format, selection: Selection) -> DeflatedText:
        """The result of the rendering in progress, or of a new one."""
        key = format, selection
        if key not in self._pending:
            since = self._begun_at if self._rendering.locked() else time.monotonic()
            self._pending[key] = asyncio.create_task(self._run(format, selection, since))
        # Shielded: a cancelled request must not cancel the rendering of the others.
        return await asyncio.shield(self._pending[key])

    async def _run(self, format: Format, selection: Selection, since: float) -> DeflatedText:
        try:
            async with self._rendering:
                self._begun_at = time.monotonic()
                return await run_in_threadpool(self._page.render, format, selection, since=since)
        finally:
            del self._pending[format, selection]


def _get_error(request: Request, error: Exception) -> Response:
    """The page for a path or method that does not exist."""
    assert isinstance(error, HTTPException)
    methods = (error.headers or {}).get("Allow", "").split(", ")
    hint = f"use {' or '.join(sorted(methods))}" if any(methods) else "/ links to the pages"
    return PlainTextResponse(f"{error.detail}; {hint}.\n", error.status_code, headers=error.headers)


def create_app(
    page: MetricsPage, *, telemetry_path: str, problem: Callable[[], str], pages: Sequence[BaseRoute] = ()
) -> Starlette:
    """The application; ``problem`` says what is wrong with the exporter, and is empty if nothing is."""
    renderings = _SingleFlight(page)
    open_pages = OpenPages()

    async def get_metrics(request: Request) -> Response:
        try:
            selection = parse_selection(request.query_params.multi_items(), page.accounts())
        except UnknownNameError as exc:
            return PlainTextResponse(f"{exc}\n", 400)
        format = preferred_format(request.headers.get("accept", ""))
        headers = {"Content-Type": format.value, "Vary": "Accept, Accept-Encoding"}
        compressed = prefers_gzip(request.headers.get("accept-encoding", ""))
        if compressed:
            headers["Content-Encoding"] = "gzip"
        text = await renderings.get(format, selection)
        return PageResponse(text, open_pages, compressed=compressed, headers=headers)

    async def get_health(request: Request) -> Response:
        if text := problem():
            return PlainTextResponse(f"{text}\n", 503)
        return PlainTextResponse(f"{HEALTHY}\n")

    app = Starlette(
        routes=[*pages, Route(telemetry_path, get_metrics), Route(HEALTH_PATH, get_health)],
        exception_handlers={HTTPException: _get_error},
    )
    # A redirect to a path without its slash would lead to the host that the client names.
    app.router.redirect_slashes = False
    return app
