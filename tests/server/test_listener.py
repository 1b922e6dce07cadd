"""One listening socket: failures to accept, and TLS handshakes that do not end."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import socket
import ssl
from collections.abc import Awaitable, Callable

import pytest

from pf_exporter.log import Logger
from pf_exporter.server.connections import Connections, Slot
from pf_exporter.server.listener import Listener
from tests.conftest import PATIENCE
from tests.server.authority import Authority

# Python 3.10 does not close the transport of a failed handshake.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")

NEVER = 1000.0
"""Seconds that no test waits."""


class Busy(socket.socket):
    """A listening socket on which the system cannot accept ``failures`` times."""

    failures = 0
    attempts = 0

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        self.attempts += 1
        if self.attempts <= self.failures:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return super().accept()


class CountedConnections(Connections):
    """Connections, and events for the first that is admitted and the first that is forgotten."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.admitted = asyncio.Event()
        self.forgotten = asyncio.Event()

    def admit(self, address: str, disconnect: Callable[[], object]) -> Slot | None:
        self.admitted.set()
        return super().admit(address, disconnect)

    def forget(self, slot: Slot) -> None:
        self.forgotten.set()
        super().forget(slot)


class Greeting(asyncio.Protocol):
    """A protocol that sends ``hello`` and ends."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"hello")
        transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._slot.release()


class Accepting:
    """A listener on a free port, in the running event loop."""

    def __init__(self, *, failures: int = 0, limit: int = 10, context: ssl.SSLContext | None = None) -> None:
        self.socket = Busy(fileno=socket.create_server(("127.0.0.1", 0)).detach())
        self.socket.failures = failures
        self.connections = CountedConnections(limit)
        self.listener = Listener(self.socket, self.connections, Greeting, context)

    async def connect(self, sent: bytes = b"") -> Awaitable[bytes]:
        """Connect, send, and return what will have arrived at the end of the connection."""
        reader, writer = await asyncio.open_connection(*self.socket.getsockname())
        writer.write(sent)

        async def read() -> bytes:
            try:
                return await asyncio.wait_for(reader.read(), PATIENCE)
            except ConnectionError:
                return b""
            finally:
                writer.close()

        return read()

    def close(self) -> None:
        """End the listener."""
        self.listener.close()
        self.socket.close()


async def rounds() -> None:
    """Let the event loop handle what is ready."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def context(authority: Authority) -> ssl.SSLContext:
    """A server's TLS context."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.sign("server", "127.0.0.1"))
    return context


def test_connections_are_accepted_and_released() -> None:
    """Clients are served one after another, and nothing of them is left."""

    async def scenario() -> None:
        accepting = Accepting()
        for _ in range(3):
            assert await (await accepting.connect()) == b"hello"
        await accepting.connections.forgotten.wait()
        await rounds()
        gc.collect()
        tasks = [task for task in gc.get_objects() if isinstance(task, asyncio.Task)]
        assert not [task for task in tasks if "Listener._connect" in repr(task.get_coro())]
        accepting.close()

    asyncio.run(scenario())


def test_a_connection_without_a_place_is_closed() -> None:
    """A client for which there is no place is disconnected at once."""

    async def scenario() -> None:
        accepting = Accepting(limit=0)
        assert await (await accepting.connect()) == b""
        accepting.close()

    asyncio.run(scenario())
    gc.collect()


def test_no_descriptor_left(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """When the system cannot accept, idle connections are closed, and the listener tries again later."""
    monkeypatch.setattr("pf_exporter.server.listener.PAUSE", 0.01)
    # A logger that has not throttled the warning yet.
    monkeypatch.setattr("pf_exporter.server.listener.log", Logger("pf_exporter.server.listener"))

    async def scenario() -> None:
        accepting = Accepting(failures=2)
        dropped: list[str] = []
        accepting.connections.admit("192.0.2.1", lambda: dropped.append("idle"))
        assert await (await accepting.connect()) == b"hello"
        assert accepting.socket.attempts >= 3
        assert dropped == ["idle"]
        accepting.close()

    asyncio.run(scenario())
    (record,) = (record for record in caplog.records if record.message == "cannot accept connections")
    assert vars(record)["fields"]["error"] == "Too many open files"


def test_the_listener_waits_between_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure the listener does not try again until its pause has ended."""
    monkeypatch.setattr("pf_exporter.server.listener.PAUSE", NEVER)

    async def scenario() -> None:
        accepting = Accepting(failures=1)
        response = await accepting.connect()
        await rounds()
        assert accepting.socket.attempts == 1
        accepting.close()
        assert await response == b""

    asyncio.run(scenario())


def test_a_closed_listener_accepts_nothing() -> None:
    """After its end the listener leaves new connections in the queue of the system."""

    async def scenario() -> None:
        accepting = Accepting()
        accepting.listener.close()
        response = await accepting.connect()
        await rounds()
        assert accepting.socket.attempts == 0
        accepting.socket.close()
        assert await response == b""

    asyncio.run(scenario())


def test_a_listener_that_is_closed_in_its_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listener that ends while it waits for another attempt does not try again."""
    monkeypatch.setattr("pf_exporter.server.listener.PAUSE", 0.0)

    async def scenario() -> None:
        accepting = Accepting(failures=1)
        accepting.connections.admit("192.0.2.1", accepting.listener.close)  # At the start of the pause.
        response = await accepting.connect()
        await rounds()
        assert accepting.socket.attempts == 1
        accepting.socket.close()
        assert await response == b""

    asyncio.run(scenario())


@pytest.mark.parametrize("end", ["close", "drop"])
def test_a_handshake_ends(monkeypatch: pytest.MonkeyPatch, context: ssl.SSLContext, end: str) -> None:
    """A client in the middle of its handshake is disconnected with the listener, or for another client."""
    monkeypatch.setattr("pf_exporter.server.listener.HANDSHAKE_TIMEOUT", NEVER)

    async def scenario() -> None:
        accepting = Accepting(context=context)
        response = await accepting.connect(b"\x16\x03\x01")
        await accepting.connections.admitted.wait()
        await rounds()
        if end == "close":
            accepting.listener.close()
        else:
            assert accepting.connections.drop_longest_waiting()
        assert await response == b""
        accepting.close()

    asyncio.run(scenario())


def test_a_failed_handshake_frees_its_place(context: ssl.SSLContext) -> None:
    """A client that does not speak TLS is not counted any more."""

    async def scenario() -> None:
        accepting = Accepting(context=context)
        await (await accepting.connect(b"GET / HTTP/1.1\r\n\r\n"))
        await asyncio.wait_for(accepting.connections.forgotten.wait(), PATIENCE)
        accepting.close()

    asyncio.run(scenario())
