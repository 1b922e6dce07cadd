"""The pages besides the metrics: status, readiness, gaps and reloading."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pf_exporter.errors import ConfigError
from pf_exporter.server import READY_PATH
from pf_exporter.web.sources import StatusSources

if TYPE_CHECKING:
    from pf_exporter.web.status_cache import StatusCache


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
    reloading = asyncio.Lock()  # Requests wait here, and not in a thread of the pool each.

    @functools.cache
    def status_cache() -> StatusCache:
        # Imported with the first request: most exporters are only scraped.
        from pf_exporter.web.status_cache import StatusCache

        return StatusCache(sources)

    async def get_status(request: Request) -> Response:
        return await status_cache().get(request)

    async def get_ready(request: Request) -> Response:
        if ready():
            return PlainTextResponse("Ready.\n")
        return PlainTextResponse("At least one account has had no stream yet; / shows why.\n", 503)

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
        Route("/", get_status),
        Route(READY_PATH, get_ready),
        Route("/-/gaps", get_gaps),
        Route("/-/reload", post_reload, methods=["POST"]),
    ]
