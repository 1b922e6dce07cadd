"""The rows of the table: order, filter, errors of the last minute, pause."""

from __future__ import annotations

import pytest

from pf_exporter.top.circuit import Kind, State
from pf_exporter.top.errors_window import ErrorsWindow
from pf_exporter.top.table import SortKey, Table
from tests.state.harness import Clock
from tests.top.circuits import NOW, port, reading, vc


def order(table: Table, key: SortKey, *, backwards: bool = False, filter: str = "") -> list[str]:
    """The numbers of the ports in their order."""
    rows = table.rows(Kind.PORTS, key, backwards=backwards, filter=filter)
    return [row.circuit.circuit.rpartition("-")[2] for row in rows]


@pytest.mark.parametrize(
    ("key", "expected", "reversed_"),
    [
        (SortKey.BUSIEST, "3124", "2134"),
        (SortKey.RECEIVE, "3214", "1234"),
        (SortKey.TRANSMIT, "1324", "2314"),
        (SortKey.LIGHT, "3214", "1234"),
        (SortKey.AGE, "3214", "1234"),
        (SortKey.NAME, "2134", "4312"),
        (SortKey.STATE, "2413", "1342"),
    ],
)
def test_order(key: SortKey, expected: str, reversed_: str) -> None:
    """Each key has its order and the reverse; rows without the value are last in both."""
    table = Table()
    table.update(
        reading(
            port(1, transmit=5e9, receive=0.5e9, name="b"),
            port(2, transmit=0.0, receive=2e9, up=0.0, name="A"),
            port(3, receive=9e9, transmit=3e9, name="c"),
            port(4, receive=None, transmit=None, light=None, last_event=None, name="d"),
        )
    )
    assert "".join(order(table, key)) == expected
    assert "".join(order(table, key, backwards=True)) == reversed_


def test_errors_have_an_order() -> None:
    """The circuit with the most errors in the last minute comes first, not the one with the highest total."""
    clock = Clock(0.0)
    table = Table(clock=clock)
    table.update(reading(port(1, errors=1e9), port(2, errors=0.0), port(3, errors=None)))
    clock.now = 30.0
    table.update(reading(port(1, errors=1e9), port(2, errors=60.0), port(3, errors=None), serial=2))
    assert order(table, SortKey.ERRORS) == ["2", "1", "3"]
    first, *_ = table.rows(Kind.PORTS, SortKey.ERRORS)
    assert first.errors == (60.0, 2.0)


def test_the_same_reading_counts_once() -> None:
    """A source that has no new values gives its last reading again: nothing is counted twice."""
    clock = Clock(0.0)
    table = Table(clock=clock)
    table.update(reading(port(1, errors=0.0)))
    clock.now = 20.0
    again = reading(port(1, errors=10.0), serial=2)
    table.update(again)
    table.update(again._replace(age=1.0))
    (row,) = table.rows(Kind.PORTS)
    assert row.errors == (10.0, 0.5)
    assert row.age == 2.0  # One second at the reading, one since.
    assert table.readings == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", "321"), ("los angeles 2", "2"), ("lax1-3", "3"), ("DOWN", "1"), ("acme", "321"), ("zzz", "")],
)
def test_filter(text: str, expected: str) -> None:
    """The filter finds names, IDs, states and accounts, in any case."""
    table = Table()
    table.update(reading(port(1, up=0.0), port(2), port(3)))
    assert "".join(order(table, SortKey.RECEIVE, filter=text)) == expected


def test_pause() -> None:
    """A paused table keeps its rows and counts errors all the time."""
    clock = Clock(0.0)
    table = Table(clock=clock)
    table.update(reading(port(1, errors=0.0)))
    table.paused = True
    clock.now = 10.0
    table.update(reading(port(1, errors=5.0, receive=7e9), serial=2))
    assert table.rows(Kind.PORTS)[0].circuit.receive == 1e9
    table.paused = False
    clock.now = 20.0
    table.update(reading(port(1, errors=5.0, receive=7e9), serial=3))
    (row,) = table.rows(Kind.PORTS)
    assert (row.circuit.receive, row.errors) == (7e9, (5.0, 0.25))


def test_completeness() -> None:
    """A table is complete when inventory, data and error rates of all circuits are there."""
    table = Table()
    assert not table.has_data(Kind.PORTS)
    table.update(reading(port(1), has_inventory=False))
    assert table.has_data(Kind.PORTS)
    table.update(reading(port(1), serial=2, has_inventory=False))
    assert not table.is_complete(Kind.PORTS)
    table.update(reading(port(1), port(2, receive=None, transmit=None), serial=3))
    assert not table.is_complete(Kind.PORTS)
    table.update(reading(port(1), port(2), port(3, up=0.0, receive=None, transmit=None), serial=4))
    assert not table.is_complete(Kind.PORTS)  # The errors of port 3 have one reading only.
    table.update(reading(port(1), port(2), port(3, up=0.0, receive=None, transmit=None), serial=5))
    assert table.is_complete(Kind.PORTS)
    assert not table.is_complete(Kind.VCS)


def test_counts() -> None:
    """The circuits of a kind are counted by state."""
    table = Table()
    table.update(reading(port(1), port(2, up=0.0), vc(1), vc(2, enabled=0.0)))
    assert table.counts(Kind.PORTS) == {State.DOWN: 1, State.NO_DATA: 0, State.DISABLED: 0, State.UP: 1}
    assert table.counts(Kind.VCS)[State.DISABLED] == 1


def test_the_window() -> None:
    """Errors leave the window after a minute; a total that falls adds nothing; one reading is not enough."""
    window = ErrorsWindow()
    window.update([port(1, errors=100.0)], 0.0)
    assert window.of(port(1)) is None
    window.update([port(1, errors=106.0)], 20.0)
    assert window.of(port(1)) == (6.0, 0.3)
    window.update([port(1, errors=3.0)], 40.0)
    assert window.of(port(1)) == (6.0, 0.15)
    window.update([port(1, errors=6.0)], 60.0)
    assert window.of(port(1)) == (9.0, 0.15)
    window.update([port(1, errors=6.0)], 81.0)
    assert window.of(port(1)) == (3.0, 0.05)
    window.update([port(1, errors=6.0)], 121.0)
    assert window.of(port(1)) == (0.0, 0.0)


def test_a_rate_covers_ten_seconds_at_least() -> None:
    """The first events may carry the errors of a longer time: they are not divided by one second."""
    window = ErrorsWindow()
    window.update([port(1, errors=0.0)], NOW)
    window.update([port(1, errors=50.0)], NOW + 1)
    assert window.of(port(1)) == (50.0, 5.0)
