"""The order of turns, and which request is refused when the queue is full."""

from __future__ import annotations

import asyncio

import pytest

from pf_exporter.server.turns import QueueFull, Turns


class Requests:
    """Requests for turns, named by client and number; a turn lasts until ``end_turns`` is set."""

    def __init__(self, limit: int) -> None:
        self._turns = Turns(limit)
        self.end_turns = asyncio.Event()
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.begun: list[str] = []
        """The requests whose turn has come, in order."""
        self.refused: list[str] = []
        """The requests that the queue had no room for, in order."""

    async def _request(self, name: str) -> None:
        try:
            async with self._turns.turn(name[0]):
                self.begun.append(name)
                await self.end_turns.wait()
        except QueueFull:
            self.refused.append(name)

    def start(self, *names: str) -> None:
        """Start requests, which run from the event loop's next round on."""
        self.tasks |= {name: asyncio.create_task(self._request(name)) for name in names}

    async def add(self, *names: str) -> None:
        """Add requests one after another, until each has its turn, waits or is refused."""
        self.start(*names)
        await self.settle()

    async def settle(self) -> None:
        """Let every request run until it waits."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def finish(self) -> None:
        """Let all turns end."""
        self.end_turns.set()
        _, unfinished = await asyncio.wait(self.tasks.values(), timeout=60)
        assert not unfinished


def test_clients_take_turns() -> None:
    """The turn passes from client to client, and to the requests of each in their order."""

    async def scenario() -> None:
        requests = Requests(limit=5)
        await requests.add("a1", "a2", "a3", "b1", "b2", "c1")
        assert requests.begun == ["a1"]
        await requests.finish()
        assert requests.begun == ["a1", "a2", "b1", "c1", "a3", "b2"]
        assert requests.refused == []
        await requests.add("d1")
        assert requests.begun[-1] == "d1"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("waiting", "newcomer", "refused"),
    [
        ("a2 a3 b1", "c1", "a3"),
        ("a2 b1 b2", "c1", "b2"),
        ("a2 a3 a4", "b1", "a4"),
        ("a2 b1 c1", "d1", "d1"),
        ("a2 a3 b1", "b2", "b2"),
        ("a2 a3 b1", "a4", "a4"),
        ("", "b1", ""),
    ],
)
def test_a_full_queue(waiting: str, newcomer: str, refused: str) -> None:
    """The client with the most requests loses its newest, unless the newcomer would then have as many."""

    async def scenario() -> None:
        requests = Requests(limit=3)
        await requests.add("a1", *waiting.split(), newcomer)
        assert requests.refused == refused.split()
        await requests.finish()
        assert sorted([*requests.begun, *requests.refused]) == sorted(["a1", *waiting.split(), newcomer])

    asyncio.run(scenario())


def test_no_queue() -> None:
    """With a limit of 0 a request is refused as long as another has the turn."""

    async def scenario() -> None:
        requests = Requests(limit=0)
        await requests.add("a1", "b1")
        assert requests.refused == ["b1"]
        await requests.finish()
        await requests.add("b2")
        assert requests.begun == ["a1", "b2"]

    asyncio.run(scenario())


def test_a_cancelled_request_gets_no_turn() -> None:
    """A request that is cancelled while it waits is left out, and makes room for another."""

    async def scenario() -> None:
        requests = Requests(limit=3)
        await requests.add("a1", "b1", "b2", "b3")
        requests.tasks["b1"].cancel()
        requests.tasks["b3"].cancel()
        await requests.add("c1")
        await requests.finish()
        assert requests.begun == ["a1", "c1", "b2"]
        assert requests.refused == []

    asyncio.run(scenario())


def test_cancelled_when_its_turn_comes() -> None:
    """The turn of a request that is cancelled before it can use it passes to the next."""

    async def scenario() -> None:
        requests = Requests(limit=3)
        await requests.add("a1", "b1", "c1")
        requests.end_turns.set()
        asyncio.get_running_loop().call_soon(requests.tasks["b1"].cancel)  # Just after the end of a1's turn.
        await requests.finish()
        assert requests.begun == ["a1", "c1"]

    asyncio.run(scenario())


def test_cancelled_when_it_is_refused() -> None:
    """A request that is cancelled just after it has lost its place has no turn to pass on."""

    async def scenario() -> None:
        requests = Requests(limit=2)
        await requests.add("a1", "b1", "b2")
        requests.start("c1")
        asyncio.get_running_loop().call_soon(requests.tasks["b2"].cancel)  # Just after c1 took its place.
        await requests.settle()
        assert requests.begun == ["a1"]
        await requests.finish()
        assert requests.begun == ["a1", "b1", "c1"]

    asyncio.run(scenario())
