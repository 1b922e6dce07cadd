"""Turns: one client at a time, in an order that no client can change by sending more requests."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict, deque
from collections.abc import AsyncIterator


class QueueFull(Exception):
    """Too many are waiting for their turn."""


class Turns:
    """A lock whose waiting clients take turns, at most ``limit`` requests in total.

    A client that waits with several requests loses its newest when another client finds the queue full.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._is_taken = False
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        """By client, the requests that wait, at least one; the first client's first is next."""

    @contextlib.asynccontextmanager
    async def turn(self, client: str) -> AsyncIterator[None]:
        """Wait for a turn of the client, which lasts as long as the context; raises :class:`QueueFull`."""
        await self._acquire(client)
        try:
            yield
        finally:
            self._release()

    def _make_room(self, client: str) -> None:
        if sum(map(len, self._waiting.values())) < self._limit:
            return
        largest = max(self._waiting, key=lambda other: len(self._waiting[other]), default=client)
        if len(self._waiting.get(largest, ())) <= len(self._waiting.get(client, ())) + 1:
            raise QueueFull
        newest = self._waiting[largest].pop()
        if not newest.done():
            newest.set_exception(QueueFull())

    async def _acquire(self, client: str) -> None:
        if not self._is_taken:
            self._is_taken = True
            return
        self._make_room(client)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled() and waiter.exception() is None:
                self._release()  # The turn came at the same moment.
            raise

    def _release(self) -> None:
        """Pass the turn on."""
        while self._waiting:
            client, requests = self._waiting.popitem(last=False)
            waiter = requests.popleft()
            if requests:
                self._waiting[client] = requests  # Behind all others.
            if not waiter.done():
                waiter.set_result(None)
                return
        self._is_taken = False
