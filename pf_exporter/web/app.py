"""The application: metrics and health, beside the other pages."""

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

SLICE = 1 << 16
"""Bytes handed to the server at a time; it holds one in memory for a client that does not read."""
STALL = 30.0
"""Seconds a client may take to read a slice."""


class MetricsPage(Protocol):
    """What there is to scrape, see :class:`pf_exporter.metrics.exposition.Exposition`."""

    def gzip(self, format: Format) -> bytes:
        """The page compressed."""

    def plain(self, format: Format) -> bytes:
        """The page as it is."""


_Render = Callable[[Format], bytes]


def _accepted(header: str) -> list[tuple[str, str]]:
    """What an Accept or Accept-Encoding header asks for, the most wanted first: value and its version."""
    wanted: list[tuple[float, int, str, str]] = []
    for part in header.lower().split(","):
        value, *rest = (word.strip() for word in part.split(";"))
        parameters = dict(word.partition("=")[::2] for word in rest)
        try:
            quality = float(parameters.get("q", "1"))
        except ValueError:
            quality = 0.0
        if quality > 0:
            wanted.append((-quality, len(wanted), value, parameters.get("version", "")))
    return [(value, version) for *_, value, version in sorted(wanted)]


_FORMATS = {
    ("text/plain", ""): Format.TEXT,
    ("text/plain", "0.0.4"): Format.TEXT,
    ("text/plain", "1.0.0"): Format.TEXT_1,
    ("application/openmetrics-text", ""): Format.OPENMETRICS,
    ("application/openmetrics-text", "1.0.0"): Format.OPENMETRICS,
}


def _format(accept: str) -> Format:
    """The first that is asked for and known; Prometheus' oldest text format for who asks for none of them."""
    return next((_FORMATS[one] for one in _accepted(accept) if one in _FORMATS), Format.TEXT)


def _wants_gzip(accept_encoding: str) -> bool:
    known = (coding for coding, _ in _accepted(accept_encoding) if coding in ("gzip", "identity"))
    return next(known, "identity") == "gzip"


class _SingleFlight:
    """One rendering at a time, on a thread; whoever comes while it is under way shares it.

    So a page is older than the request by one rendering at most, and there are not two of them in memory.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._under_way: dict[tuple[_Render, Format], asyncio.Task[bytes]] = {}

    async def get(self, render: _Render, format: Format) -> bytes:
        """What the rendering that is under way brings, or else a new one."""
        key = (render, format)
        if key not in self._under_way:
            self._under_way[key] = asyncio.create_task(self._run(render, format))
        # Shielded: who gives up waiting takes nothing from the others.
        return await asyncio.shield(self._under_way[key])

    async def _run(self, render: _Render, format: Format) -> bytes:
        try:
            async with self._turn:
                return await run_in_threadpool(render, format)
        finally:
            del self._under_way[render, format]


class _Sliced(Response):
    """A body that other answers share: no copy of it, and no hold on it for who does not read."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        size = 0 if scope["method"] == "HEAD" else len(self.body)
        for start in range(0, size, SLICE):
            part = {"type": "http.response.body", "body": self.body[start : start + SLICE], "more_body": True}
            try:
                await asyncio.wait_for(send(part), STALL)
            except asyncio.TimeoutError:
                return  # An answer cut short: the server closes the connection.
        await send({"type": "http.response.body"})


def create_app(
    page: MetricsPage, *, telemetry_path: str, healthy: Callable[[], bool], pages: Sequence[BaseRoute] = ()
) -> Starlette:
    """The application; any other path is 404, any method but GET and HEAD 405."""
    shared = _SingleFlight()

    async def metrics(request: Request) -> Response:
        format = _format(request.headers.get("accept", ""))
        headers = {"Content-Type": format.value, "Vary": "Accept, Accept-Encoding"}
        if not _wants_gzip(request.headers.get("accept-encoding", "")):
            return _Sliced(await shared.get(page.plain, format), headers=headers)
        return _Sliced(await shared.get(page.gzip, format), headers=headers | {"Content-Encoding": "gzip"})

    async def health(request: Request) -> Response:
        well = healthy()
        return PlainTextResponse(f"{HEALTHY if well else 'A thread has died.'}\n", 200 if well else 503)

    return Starlette(
        routes=[
            *pages,
            Route(telemetry_path, metrics),
            Route(HEALTH_PATH, health),
        ],
    )
