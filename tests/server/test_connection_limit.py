"""Which connection gives way when there are too many."""

from __future__ import annotations

import pytest

from pf_exporter.server.connections import MAX_CONNECTIONS, STALL_GRACE, Connections, Slot, default_limit
from tests.state.harness import Clock


class Limited:
    """Connections with a limit, and the names of those that were disconnected."""

    def __init__(self, limit: int) -> None:
        self.clock = Clock()
        self.connections = Connections(limit, clock=self.clock)
        self.dropped: list[str] = []

    def admit(self, address: str, name: str = "") -> Slot | None:
        return self.connections.admit(address, lambda: self.dropped.append(name))

    def slot(self, address: str, name: str = "") -> Slot:
        slot = self.admit(address, name)
        assert slot is not None
        return slot


def test_the_client_with_the_most_connections_gives_way() -> None:
    """At the limit the client with the most connections loses the one that has waited longest."""
    limited = Limited(4)
    limited.slot("b", "b1")
    first, second = limited.slot("a", "a1"), limited.slot("a", "a2")
    limited.slot("a", "a3")
    first.wait()
    limited.slot("c", "c1")
    assert limited.dropped == ["a2"]
    second.release()  # again: it has no effect
    second.wait()
    limited.slot("d", "d1")
    assert limited.dropped == ["a2", "a3"]


def test_closed_connections_do_not_count() -> None:
    """A client gives way for the connections that it has open, not for those that it had."""
    limited = Limited(3)
    for _ in range(5):
        limited.slot("b").release()
    limited.slot("b", "b1")
    limited.slot("a", "a1")
    limited.slot("a", "a2")
    limited.slot("c", "c1")
    assert limited.dropped == ["a1"]


def test_busy_connections_are_kept() -> None:
    """A connection whose client waits for the server is not closed; a new one is refused instead."""
    limited = Limited(2)
    busy = [limited.slot("a"), limited.slot("b")]
    for slot in busy:
        slot.work()
    assert limited.admit("c") is None
    busy[0].release()
    assert limited.admit("c") is not None
    assert limited.dropped == []


@pytest.mark.parametrize(("number", "dropped"), [(3, 1), (4, 2), (8, 3)])
def test_a_quarter_is_closed(number: int, dropped: int) -> None:
    """For want of descriptors, a quarter of the connections are closed, and at least one."""
    limited = Limited(10)
    for _ in range(number):
        limited.slot("a")
    limited.connections.drop_share()
    assert len(limited.dropped) == dropped


def stall(limited: Limited) -> None:
    """Three connections: one waits for a request, two do not read."""
    limited.slot("a", "idle")
    for address in "ba":
        limited.slot(address, f"stalled {address}").wait(stalled=True)
        limited.clock.now += STALL_GRACE


def test_connections_that_do_not_read() -> None:
    """All connections whose clients do not read can be closed at once; others stay."""
    limited = Limited(10)
    stall(limited)
    limited.connections.drop_stalled()
    assert sorted(limited.dropped) == ["stalled a", "stalled b"]


def test_the_longest_stalled_connection() -> None:
    """One connection after the other is closed, the longest stalled first, but none that has just begun."""
    limited = Limited(10)
    assert not limited.connections.drop_longest_stalled()
    stall(limited)
    limited.slot("c", "stalled c").wait(stalled=True)
    assert limited.connections.drop_longest_stalled()
    assert limited.dropped == ["stalled b"]
    assert limited.connections.drop_longest_stalled()
    assert not limited.connections.drop_longest_stalled()
    assert limited.dropped == ["stalled b", "stalled a"]


@pytest.mark.parametrize(
    ("descriptors", "limit"), [(1, 1), (2, 1), (100, 50), (2 * MAX_CONNECTIONS + 2, MAX_CONNECTIONS)]
)
def test_limit_by_descriptors(monkeypatch: pytest.MonkeyPatch, descriptors: int, limit: int) -> None:
    """Half of the file descriptors may be connections, up to the maximum, and at least one."""
    monkeypatch.setattr("resource.getrlimit", lambda _: (descriptors, 10**6))
    assert default_limit() == limit
