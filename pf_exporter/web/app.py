"""The application: the metrics and health pages, and routes of other pages."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from pf_exporter.metrics import Format
from pf_exporter.web.health import HEALTH_PATH, HEALTHY
from pf_exporter.web.negotiation import preferred_format, prefers_gzip

CHUNK_BYTES = 1 << 16
"""Bytes handed to the server at a time; it buffers one chunk for a client that does not read."""
CHUNK_TIMEOUT = 30.0
"""Seconds a client may take to read a chunk."""


class MetricsPage(Protocol):
    """The metrics in a format, see :class:`pf_exporter.metrics.exposition.Exposition`."""

    def gzip(self, format: Format) -> bytes:
        """The page, compressed."""

    def plain(self, format: Format) -> bytes:
        """The page, uncompressed."""


_Render = Callable[[Format], bytes]


class _SingleFlight:
    """One rendering at a time, on a thread; requests that arrive meanwhile share its result.

    So a page is at most one rendering older than the request, and memory holds one page.
    """

    def __init__(self) -> None:
        self._rendering = asyncio.Lock()
        self._pending: dict[tuple[_Render, Format], asyncio.Task[bytes]] = {}

    async def get(self, render: _Render, format: Format) -> bytes:
        """The result of the rendering in progress, or of a new one."""
        key = (render, format)
        if key not in self._pending:
            self._pending[key] = asyncio.create_task(self._run(render, format))
        # Shielded: a cancelled request must not cancel the rendering of the others.
        return await asyncio.shield(self._pending[key])

    async def _run(self, render: _Render, format: Format) -> bytes:
        try:
            async with self._rendering:
                return await run_in_threadpool(render, format)
        finally:
            del self._pending[render, format]


class _ChunkedResponse(Response):
    """A body shared with other responses: it is not copied, and a client that does not read it is dropped."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        size = 0 if scope["method"] == "HEAD" else len(self.body)
        for start in range(0, size, CHUNK_BYTES):
            chunk = self.body[start : start + CHUNK_BYTES]
            message = {"type": "http.response.body", "body": chunk, "more_body": True}
            try:
                await asyncio.wait_for(send(message), CHUNK_TIMEOUT)
            except asyncio.TimeoutError:
                return  # The response is incomplete, so the server closes the connection.
        await send({"type": "http.response.body"})


def create_app(
    page: MetricsPage, *, telemetry_path: str, healthy: Callable[[], bool], pages: Sequence[BaseRoute] = ()
) -> Starlette:
    """The application; other paths are 404, methods other than GET and HEAD 405."""
    renderings = _SingleFlight()

    async def get_metrics(request: Request) -> Response:
        format = preferred_format(request.headers.get("accept", ""))
        headers = {"Content-Type": format.value, "Vary": "Accept, Accept-Encoding"}
        render = page.plain
        if prefers_gzip(request.headers.get("accept-encoding", "")):
            headers["Content-Encoding"] = "gzip"
            render = page.gzip
        return _ChunkedResponse(await renderings.get(render, format), headers=headers)

    async def get_health(request: Request) -> Response:
        if healthy():
            return PlainTextResponse(f"{HEALTHY}\n")
        return PlainTextResponse("A thread has died; the log names it.\n", 503)

    return Starlette(
        routes=[*pages, Route(telemetry_path, get_metrics), Route(HEALTH_PATH, get_health)],
    )
