"""What a sink of the store receives."""

from __future__ import annotations

from msgspec.structs import replace

from pf_exporter.schema.event_type import EventType
from pf_exporter.schema.observation import Numbers
from pf_exporter.state.store import Store, WriteResult
from pf_exporter.state.table import Row
from tests.state.harness import TTL, Clock, T, observation

EIGHT = (1.0,) * 8


class Rows:
    """A sink that keeps the circuits and values that it receives."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str, Numbers]] = []

    def write_row(self, account: str, event: EventType, circuit: tuple[str, ...], row: Row) -> None:
        assert event.name == "port|metrics"
        self._rows.append((account, circuit[0], row.values))

    def take(self) -> list[tuple[str, str, Numbers]]:
        """Return what was received since the last call."""
        rows, self._rows = self._rows, []
        return rows


def store_with(limit: int) -> tuple[Rows, Clock, Store]:
    rows, clock = Rows(), Clock()
    store = Store(ttl=TTL, limit=limit, clock=clock, sink=rows)
    for account in "ab":
        store.add_account(account)
    return rows, clock, store


def test_rows_that_are_stored() -> None:
    """The sink receives each row that is stored, and none that is dropped."""
    rows, _, store = store_with(limit=12)
    assert store.write("a", observation(1.0, at=T), T) is WriteResult.KEPT
    assert store.write("a", observation(1.0, at=T), T) is WriteResult.DUPLICATE
    assert store.write("a", observation(1.0, "q"), T) is WriteResult.REFUSED
    assert rows.take() == [("a", "p", EIGHT)]


def test_rows_that_expire() -> None:
    """A row that expires is sent once without values, also if it is read first."""
    rows, clock, store = store_with(limit=100)
    store.write("a", observation(1.0), T)
    clock.now += TTL + 1
    store.rows("port|metrics")
    store.rows("port|metrics")
    assert rows.take() == [("a", "p", EIGHT), ("a", "p", ())]


def test_rows_that_are_reduced() -> None:
    """If not all series of a row fit, the sink receives those that are kept."""
    rows, _, store = store_with(limit=4)
    few = replace(observation(1.0), values=(1.0, 1.0, *[None] * 6))
    store.write("a", few, T)
    assert store.write("a", observation(2.0), T) is WriteResult.REDUCED
    assert rows.take() == [("a", "p", few.values), ("a", "p", (2.0, 2.0, *[None] * 6))]


def test_rows_that_are_removed() -> None:
    """A live row that makes room is sent without values; an expired one was already."""
    rows, clock, store = store_with(limit=20)
    store.write("a", observation(None, "silent"), T)
    clock.now += TTL + 1
    for circuit in "pq":
        store.write("a", observation(1.0, circuit), T)
    rows.take()
    store.write("b", observation(1.0, "r"), T)
    assert rows.take() == [("a", "p", ()), ("b", "r", EIGHT)]


def test_rows_of_a_removed_account() -> None:
    """The live rows of an account that is removed are sent without values."""
    rows, clock, store = store_with(limit=100)
    store.write("a", observation(1.0, "old"), T)
    clock.now += TTL + 1
    store.write("a", observation(1.0), T)
    store.write("b", observation(1.0), T)
    rows.take()
    store.remove_account("a")
    assert rows.take() == [("a", "p", ())]
