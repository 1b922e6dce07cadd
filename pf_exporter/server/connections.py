"""The open connections of a server: how many there may be, and which one is closed for another."""

from __future__ import annotations

import contextlib
import resource
import socket
import time
from collections import Counter
from collections.abc import Callable

from pf_exporter.log import Logger

MAX_CONNECTIONS = 400
"""Open connections of a server."""
DESCRIPTORS_SHARE = 2
"""At most one in this many file descriptors is a client's connection; streams and files need the rest."""
STALL_GRACE = 0.25
"""Seconds after which a client that does not read its response may be disconnected for another request."""

log = Logger(__name__)


def raise_descriptor_limit() -> None:
    """Raise the soft limit of file descriptors to the hard limit, as programs in Go do at their start."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError):  # A sandbox may forbid it.
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def default_limit() -> int:
    """The number of connections that the limit of file descriptors allows."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(1, min(MAX_CONNECTIONS, soft // DESCRIPTORS_SHARE))


def client_network(address: str) -> str | bytes:
    """The address, or for IPv6 its /64 network: one client can have any address of it."""
    if ":" not in address or address.startswith("::ffff:"):
        return address
    return socket.inet_pton(socket.AF_INET6, address.partition("%")[0])[:8]


class Slot:
    """The place of one connection, from when it is accepted until it is closed.

    ``disconnect`` closes the connection at once, in whatever phase it is.
    """

    __slots__ = ("_connections", "_is_open", "client", "disconnect", "stalled_since")

    def __init__(
        self, connections: Connections, client: str | bytes, disconnect: Callable[[], object]
    ) -> None:
        self._connections = connections
        self._is_open = True
        self.client = client
        self.disconnect = disconnect
        self.stalled_since: float | None = None

    def wait(self, *, stalled: bool = False) -> None:
        """Note that the connection waits for its client now: to send a request, or (``stalled``) to read."""
        if self._is_open:
            self.stalled_since = self._connections.clock() if stalled else None
            self._connections.enlist(self)

    def work(self) -> None:
        """Note that the client waits for the server, so that the connection is not closed for another."""
        self.stalled_since = None
        self._connections.delist(self)

    def release(self) -> None:
        """Free the place; the connection is closed."""
        if self._is_open:
            self._is_open = False
            self._connections.forget(self)


class Connections:
    """The open connections of one server; only the thread of its event loop calls.

    When there are too many, the client (an address) that has the most of them loses the one that has waited
    longest for it. So one client's connections never keep out another's.
    """

    def __init__(self, limit: int | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = default_limit() if limit is None else limit
        self.clock = clock
        self._waiting: dict[str | bytes, dict[Slot, None]] = {}
        """By client, the connections that wait for it, the longest waiting first."""
        self._open: Counter[str | bytes] = Counter()
        """By client, the number of its open connections."""
        self._total = 0

    def admit(self, address: str, disconnect: Callable[[], object]) -> Slot | None:
        """A place for a new connection; None if the server is busy with too many requests."""
        if self._total >= self._limit and not self.drop_longest_waiting():
            log.warning_throttled(
                "full", "connection refused: too many requests are in progress", limit=self._limit
            )
            return None
        slot = Slot(self, client_network(address), disconnect)
        self._open[slot.client] += 1
        self._total += 1
        slot.wait()
        return slot

    def enlist(self, slot: Slot) -> None:
        """Add a connection to those that wait for their client, as the latest."""
        waiting = self._waiting.setdefault(slot.client, {})
        waiting.pop(slot, None)
        waiting[slot] = None

    def delist(self, slot: Slot) -> None:
        """Remove a connection from those that wait for their client."""
        waiting = self._waiting.get(slot.client)
        if waiting is not None:
            waiting.pop(slot, None)
            if not waiting:
                del self._waiting[slot.client]

    def forget(self, slot: Slot) -> None:
        """Remove a closed connection."""
        self.delist(slot)
        self._total -= 1
        self._open[slot.client] -= 1
        if not self._open[slot.client]:
            del self._open[slot.client]

    def _drop(self, slot: Slot) -> None:
        slot.release()
        slot.disconnect()

    def drop_longest_waiting(self) -> bool:
        """Close the longest waiting connection of the client with the most; False if none waits."""
        if not self._waiting:
            return False
        client = max(self._waiting, key=self._open.__getitem__)
        self._drop(next(iter(self._waiting[client])))
        log.warning_throttled("full", "idle connection closed: too many are open", limit=self._limit)
        return True

    def drop_share(self) -> None:
        """Close a quarter of the connections, as far as they wait for their client."""
        for _ in range(self._total // 4 + 1):
            self.drop_longest_waiting()

    def _stalled(self) -> dict[Slot, float]:
        """The connections whose clients do not read, and since when."""
        return {
            slot: slot.stalled_since
            for slots in self._waiting.values()
            for slot in slots
            if slot.stalled_since is not None
        }

    def drop_stalled(self) -> None:
        """Close every connection whose client does not read."""
        for slot in self._stalled():
            self._drop(slot)

    def drop_longest_stalled(self) -> bool:
        """Close the connection whose client has not read for longest; False if each has read just now."""
        stalled = self._stalled()
        if not stalled:
            return False
        longest = min(stalled, key=stalled.__getitem__)
        if self.clock() - stalled[longest] < STALL_GRACE:
            return False
        self._drop(longest)
        log.warning_throttled("stalled", "client disconnected that does not read: others wait")
        return True
