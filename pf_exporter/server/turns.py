"""Turns: one client at a time, in an order that no client can change by sending more requests."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from types import TracebackType


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
        """By client, the requests that wait; the first client's first is next."""

    def turn(self, client: str) -> _Turn:
        """A context manager that waits for the client's turn; raises :class:`QueueFull`."""
        return _Turn(self, client)

    def _make_room(self, client: str) -> None:
        if sum(map(len, self._waiting.values())) < self._limit:
            return
        largest = max(self._waiting, key=lambda other: len(self._waiting[other]), default=client)
        if len(self._waiting.get(largest, ())) <= len(self._waiting.get(client, ())) + 1:
            raise QueueFull
        self._waiting[largest].pop().set_exception(QueueFull())

    async def acquire(self, client: str) -> None:
        """Wait for a turn."""
        if not self._is_taken:
            self._is_taken = True
            return
        self._make_room(client)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(waiter)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.release()  # The turn came at the same moment.
            raise

    def release(self) -> None:
        """Pass the turn on."""
        while self._waiting:
            client, requests = self._waiting.popitem(last=False)
            waiter = requests.popleft() if requests else None
            if requests:
                self._waiting[client] = requests  # Behind all others.
            if waiter is not None and not waiter.done():
                waiter.set_result(None)
                return
        self._is_taken = False


class _Turn:
    """One turn of a client."""

    def __init__(self, turns: Turns, client: str) -> None:
        self._turns = turns
        self._client = client

    async def __aenter__(self) -> None:
        await self._turns.acquire(self._client)

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turns.release()
