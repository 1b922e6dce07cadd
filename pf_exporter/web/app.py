"""The pages: metrics, health, and where to find them."""

from __future__ import annotations

import html
from collections.abc import Callable

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from pf_exporter import __version__

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>pf_exporter</title></head>
<body>
<h1>pf_exporter</h1>
<p>Prometheus exporter for PacketFabric's Streaming Events API, version {version}.</p>
<ul>
<li><a href="{metrics}">Metrics</a></li>
<li><a href="/-/healthy">Health</a></li>
</ul>
</body>
</html>
"""


def create(registry: CollectorRegistry, *, telemetry_path: str, healthy: Callable[[], bool]) -> Starlette:
    """The application; any other path is 404, any method but GET and HEAD 405."""

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        body = await run_in_threadpool(encode, registry)
        return Response(body, headers={"Content-Type": content_type})

    async def health(request: Request) -> Response:
        well = healthy()
        return PlainTextResponse("Healthy.\n" if well else "A thread has died.\n", 200 if well else 503)

    async def index(request: Request) -> Response:
        return HTMLResponse(_PAGE.format(version=__version__, metrics=html.escape(telemetry_path)))

    return Starlette(
        routes=[
            Route("/", index),
            Route(telemetry_path, metrics),
            Route("/-/healthy", health),
        ],
        middleware=[Middleware(GZipMiddleware, minimum_size=500, compresslevel=1)],
    )
