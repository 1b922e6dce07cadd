"""The limit of series, how it is counted, and the version of the rows."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pf_exporter.state.store import WriteResult
from pf_exporter.state.table import Row
from tests.state.harness import TTL, StoreHarness, T, observation


@pytest.fixture
def harness() -> StoreHarness:
    return StoreHarness()


def test_new_circuits_are_refused_above_the_limit() -> None:
    """New circuits that do not fit are refused, in any account; existing rows are still updated."""
    harness = StoreHarness(limit=20)
    assert harness.write(observation(1.0, "p")) is WriteResult.KEPT
    assert harness.write(observation(1.0, "q"), "b") is WriteResult.KEPT
    assert harness.write(observation(1.0, "r")) is WriteResult.REFUSED
    assert harness.write(observation(1.0, "r"), "b") is WriteResult.REFUSED
    assert harness.write(observation(2.0, "p")) is WriteResult.KEPT
    assert harness.row("r") is None
    assert harness.store.series() == {"a": 9, "b": 9}


def test_the_limit_itself_fits() -> None:
    """As many series as the limit are stored, and not one more."""
    harness = StoreHarness(limit=18)
    assert harness.write(observation(1.0, "p")) is WriteResult.KEPT
    assert harness.write(observation(1.0, "q")) is WriteResult.KEPT
    assert harness.write(observation(None, "r")) is WriteResult.REFUSED
    assert sum(harness.store.series().values()) == 18


def test_growth_above_the_limit_updates_what_is_there() -> None:
    """A module that cannot get more lanes keeps those it has, with their new values, and may shrink."""
    harness = StoreHarness(limit=30)
    harness.write(observation(1.0, event="port|optical", lanes=4))
    assert harness.write(observation(2.0, event="port|optical", lanes=8)) is WriteResult.REDUCED
    assert harness.row(event="port|optical") == Row(("0", "1", "2", "3"), (2.0,) * 24, None, 50.0, T)
    assert harness.write(observation(3.0, event="port|optical", lanes=1)) is WriteResult.KEPT
    assert harness.write(observation(1.0)) is WriteResult.KEPT
    assert sum(harness.store.series().values()) == 7 + 9


def test_new_values_replace_old_ones_at_the_limit() -> None:
    """At the limit no old value stays: absent values disappear, and additional ones are left out."""
    harness = StoreHarness(limit=5)
    harness.write(replace(observation(None), values=(1.0, 1.0, 1.0, 1.0, *[None] * 4)))
    harness.clock.now += 5
    changed = (2.0, None, *(2.0,) * 6)
    assert harness.write(replace(observation(None, at=T + 5), values=changed)) is WriteResult.REDUCED
    assert harness.row() == Row((), (2.0, None, 2.0, 2.0, *[None] * 4), T + 5, 55.0, T)
    assert harness.series_on_metrics() == harness.store.series() == {"a": 4, "b": 0}
    assert harness.write(observation(1.0, at=T)) is WriteResult.OUT_OF_ORDER
    harness.clock.now += TTL
    assert harness.values() == (2.0, None, 2.0, 2.0, *[None] * 4)
    harness.clock.now += 0.001
    assert harness.values() == ()


def test_a_reduced_row_does_not_delay_expiry() -> None:
    """A row that was updated in part is the last to expire; those before it expire in time."""
    harness = StoreHarness(limit=12)
    harness.write(replace(observation(None), values=(1.0, *[None] * 7)))
    harness.write(observation(1.0, "q"))
    harness.clock.now += TTL
    assert harness.write(observation(2.0)) is WriteResult.REDUCED
    harness.clock.now += 1
    assert (harness.values("p"), harness.values("q")) == ((2.0, *[None] * 7), ())


def test_lanes_that_change_at_the_limit() -> None:
    """A module whose light moves to another lane at the limit shows no lane rather than the old one."""
    harness = StoreHarness(limit=7)
    template = observation(1.0, event="port|optical", lanes=1)
    harness.write(template)
    two = replace(observation(2.0, event="port|optical", lanes=2), lanes=("1", "2"))
    assert harness.write(two) is WriteResult.REDUCED
    assert harness.row(event="port|optical") == Row((), (), None, 50.0, T)
    assert harness.store.series() == {"a": 1, "b": 0}
    assert harness.write(template) is WriteResult.KEPT


def test_expiry_makes_room() -> None:
    """Expired rows make room for other events and accounts, even without scrapes."""
    harness = StoreHarness(limit=10)
    harness.write(observation(1.0, "p", event="port|metrics"))
    assert harness.write(observation(1.0, "v", event="vc|metrics"), "b") is WriteResult.REFUSED
    assert harness.write(observation(1.0, "v", event="vc|metrics")) is WriteResult.REFUSED
    harness.clock.now += TTL + 1
    assert harness.write(observation(1.0, "v", event="vc|metrics"), "b") is WriteResult.KEPT
    assert harness.store.series() == {"a": 1, "b": 9}


def test_expired_rows_do_not_fill_the_store() -> None:
    """However many circuits have come and gone, there is room for live ones."""
    harness = StoreHarness(limit=90)
    for wave in range(30):
        for circuit in range(10):
            assert harness.write(observation(1.0, f"{wave}-{circuit}")) is WriteResult.KEPT
        harness.clock.now += TTL + 1
    assert harness.write(observation(1.0, "0-0")) is WriteResult.KEPT
    assert sum(harness.store.series().values()) <= 90


def test_expired_rows_are_removed_oldest_first() -> None:
    """Expired rows are removed only when needed and when that helps, in the order of expiry."""
    harness = StoreHarness(limit=20)

    def circuits() -> str:
        return "".join(circuit for (circuit,), _ in harness.store.rows("port|metrics")["a"])

    for circuit in "pq":
        harness.write(observation(1.0, circuit))
        harness.clock.now += 1
    harness.clock.now += TTL
    assert harness.write(observation(1.0, "r")) is WriteResult.KEPT
    assert harness.write(observation(1.0, "s")) is WriteResult.KEPT
    assert (circuits(), sum(harness.store.series().values())) == ("pqrs", 20)
    assert harness.write(observation(1.0, "t")) is WriteResult.REFUSED
    assert circuits() == "pqrs"
    assert harness.write(observation(None, "t")) is WriteResult.KEPT
    assert circuits() == "qrst"


def test_a_return_that_does_not_fit_has_no_values() -> None:
    """An expired circuit that does not fit shows only the time of its event, and is removed last."""
    harness = StoreHarness(limit=11)
    harness.write(observation(1.0, "p"))
    harness.clock.now += TTL + 1
    harness.write(observation(None, "q"))
    harness.clock.now += TTL + 1
    harness.wall.now += 60
    assert harness.write(observation(1.0, "r")) is WriteResult.KEPT
    assert harness.write(observation(1.0, "p", at=T)) is WriteResult.REDUCED
    assert harness.row("p") == Row((), (), None, harness.clock.now, T + 60)
    assert harness.store.series() == {"a": 11, "b": 0}
    assert harness.write(observation(None, "s")) is WriteResult.KEPT
    assert (harness.row("q"), harness.values("p"), harness.values("r")) == (None, (), (1.0,) * 8)
    harness.clock.now += TTL + 1
    assert harness.write(observation(1.0, "p")) is WriteResult.KEPT


def test_another_circuit_needs_room_after_a_return() -> None:
    """A circuit that has expired and returned is not removed when another one needs room."""
    harness = StoreHarness(limit=20)
    for circuit in "pq":
        harness.write(observation(1.0, circuit))
    harness.clock.now += TTL + 1
    assert harness.write(observation(2.0, "p")) is WriteResult.KEPT
    assert harness.write(observation(2.0, "r")) is WriteResult.KEPT
    assert harness.write(observation(2.0, "s")) is WriteResult.REFUSED
    for circuit in "st":
        assert harness.write(observation(None, circuit)) is WriteResult.KEPT
    assert [harness.values(circuit) for circuit in "pqr"] == [(2.0,) * 8, None, (2.0,) * 8]
    assert harness.series_on_metrics() == harness.store.series() == {"a": 20, "b": 0}


def test_an_account_with_expired_rows_may_leave() -> None:
    """After an account with expired rows has left, the store fills up to the limit and not beyond."""
    harness = StoreHarness(limit=30)
    for circuit in "pq":
        harness.write(observation(1.0, circuit))
    harness.clock.now += TTL + 1
    assert harness.write(observation(1.0, "x"), "b") is WriteResult.KEPT
    harness.store.remove_account("a")
    results = [harness.write(observation(1.0, circuit), "b") for circuit in "yzw"]
    assert results == [WriteResult.KEPT, WriteResult.KEPT, WriteResult.REFUSED]
    assert harness.store.series() == {"b": 27}
    harness.clock.now += TTL + 1
    assert [harness.write(observation(1.0, circuit), "b") for circuit in "klm"] == [WriteResult.KEPT] * 3
    assert harness.series_on_metrics() == harness.store.series() == {"b": 30}


def test_a_flood_of_circuits_stays_within_the_limit() -> None:
    """50,000 circuits with one event each take no more than the limit of 10,000 series."""
    harness = StoreHarness(limit=10_000)
    harness.write(observation(1.0, "mine"))
    results = dict.fromkeys(WriteResult, 0)
    template = observation(1.0)
    for index in range(50_000):
        results[harness.write(replace(template, circuit=(f"p{index}",)))] += 1
    assert results[WriteResult.KEPT] == 1110
    assert results[WriteResult.REFUSED] == 50_000 - 1110
    assert harness.store.series()["a"] == 1111 * 9
    assert harness.write(observation(2.0, "mine")) is WriteResult.KEPT


def test_counted_series_are_those_on_metrics(harness: StoreHarness) -> None:
    """The store counts the series that a scrape shows: present values, and one timestamp per row."""
    harness.write(observation(1.0))
    harness.write(replace(observation(1.0, event="port|errors"), values=(None, *(1.0,) * 18)))
    harness.write(observation(1.0, event="port|optical", lanes=8))
    harness.write(observation(None, event="port|etherstats"))
    harness.write(observation(1.0, event="vc|metrics"), "b")
    assert harness.series_on_metrics() == harness.store.series() == {"a": 9 + 19 + 49 + 1, "b": 9}
    harness.clock.now += TTL + 1
    assert harness.series_on_metrics() == harness.store.series() == {"a": 4, "b": 1}


def test_vlans_that_share_a_timestamp_are_counted_twice(harness: StoreHarness) -> None:
    """Two VLANs of a circuit on one port share a timestamp on /metrics; the store counts two."""
    harness.write(observation(1.0, event="vc|metrics"))
    harness.write(replace(observation(1.0, event="vc|metrics"), circuit=("p", "port", "5")))
    assert harness.store.series()["a"] == 18
    assert harness.series_on_metrics()["a"] == 17


def test_the_version_increases_with_every_change() -> None:
    """The version changes exactly if rows change: by writes, by expiry, and by removal to make room."""
    harness = StoreHarness(limit=20)

    def changed(event: str = "port|metrics") -> bool:
        before, versions[event] = versions.get(event, -1), harness.store.version(event)
        assert versions[event] >= before
        return before != versions[event]

    versions: dict[str, int] = {}
    assert changed()
    assert changed("port|errors")
    assert not changed()
    harness.write(observation(1.0, at=T))
    assert changed()
    assert harness.write(observation(1.0, at=T)) is WriteResult.DUPLICATE
    assert harness.write(observation(1.0, at=T - 1)) is WriteResult.OUT_OF_ORDER
    assert harness.write(observation(1.0, event="port|etherstats")) is WriteResult.REFUSED
    assert not changed()
    harness.write(observation(1.0, "q"), "b")
    assert changed()
    harness.clock.now += TTL + 1
    assert changed()
    assert not changed("port|errors")
    errors = replace(observation(1.0, event="port|errors"), values=(1.0,) * 18 + (None,))
    assert harness.write(errors) is WriteResult.KEPT
    assert changed()
    assert changed("port|errors")
    assert harness.write(observation(1.0, event="port|errors")) is WriteResult.REDUCED
    assert changed("port|errors")
