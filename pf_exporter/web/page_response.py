"""The response with the metrics: sent slice by slice, so that no client's copy of the page exists."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from pf_exporter.metrics import DeflatedText

SLICE_BYTES = 1 << 16
"""Bytes handed to the server at a time; it buffers one slice for a client that does not read."""
OPEN_BYTES = 16 * 1024 * 1024
"""Compressed bytes of all pages that are being sent; above it the clients of the oldest are disconnected."""
KEPT_PAGES = 2
"""The latest pages, whose clients are never disconnected for memory, however large they are."""


class OpenPages:
    """The pages that are being sent; the oldest are given up when all of them take too much memory."""

    def __init__(self) -> None:
        self._clients: dict[DeflatedText, list[Callable[[], object]]] = {}
        """By page, the oldest first, what disconnects each of its clients."""

    def add(self, page: DeflatedText, disconnect: Callable[[], object]) -> None:
        """Note a client that gets a page."""
        self._clients.setdefault(page, []).append(disconnect)
        pages = list(self._clients)
        while len(pages) > KEPT_PAGES and sum(page.gzip_size for page in pages) > OPEN_BYTES:
            for disconnect_client in self._clients[pages.pop(0)]:
                disconnect_client()

    def remove(self, page: DeflatedText, disconnect: Callable[[], object]) -> None:
        """Note that the client has got its page, or has gone."""
        clients = self._clients[page]
        clients.remove(disconnect)
        if not clients:
            del self._clients[page]


class PageResponse(Response):
    """A page, compressed or not, in slices that are made when the client has read the one before."""

    def __init__(
        self, page: DeflatedText, open_pages: OpenPages, *, compressed: bool, headers: dict[str, str]
    ) -> None:
        self._page = page
        self._open_pages = open_pages
        self._compressed = compressed
        size = page.gzip_size if compressed else page.plain_size
        super().__init__(headers=headers | {"Content-Length": str(size)})

    def _slices(self) -> Iterator[bytes]:
        slices = self._page.gzip_slices if self._compressed else self._page.plain_slices
        return slices(SLICE_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the page; return early if the client has gone."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            disconnect = scope["state"]["disconnect"]
            self._open_pages.add(self._page, disconnect)
            disconnected = asyncio.ensure_future(_disconnected(receive))
            try:
                for body in self._slices():
                    await send({"type": "http.response.body", "body": body, "more_body": True})
                    await asyncio.sleep(0)  # send() returns without a pause as long as the client reads.
                    if disconnected.done():
                        return
            finally:
                disconnected.cancel()
                self._open_pages.remove(self._page, disconnect)
        await send({"type": "http.response.body"})


async def _disconnected(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
