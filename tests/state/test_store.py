"""The store: the latest observation of each circuit, its expiry, duplicates and order."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pf_exporter.schema.events import EVENTS
from pf_exporter.state.store import WriteResult
from pf_exporter.state.table import Row
from tests.state.harness import TTL, StoreHarness, T, observation


@pytest.fixture
def harness() -> StoreHarness:
    return StoreHarness()


# Rows


def test_the_last_observation_replaces_the_row(harness: StoreHarness) -> None:
    """A row is replaced as a whole: values, absent values and times."""
    harness.write(observation(1.0, at=T - 5))
    harness.clock.now += 60
    harness.wall.now += 60
    values = (None, *range(2, 9))
    assert harness.write(replace(observation(1.0, at=T + 55), values=values)) is WriteResult.KEPT
    assert harness.row() == Row((), values, T + 55, 110.0, T + 60)


def test_rows_are_separate(harness: StoreHarness) -> None:
    """The same circuit in another account or event, and another form of its ID, has a separate row."""
    harness.write(observation(1.0))
    harness.write(observation(2.0), "b")
    harness.write(observation(3.0, event="port|errors"))
    harness.write(observation(4.0, "p-PF"))
    assert harness.values() == (1.0,) * 8
    assert harness.values(account="b") == (2.0,) * 8
    assert harness.values(event="port|errors") == (3.0,) * 19
    assert harness.values("p-PF") == (4.0,) * 8
    assert harness.row(event="port|optical") is None


def test_rows_keep_their_order(harness: StoreHarness) -> None:
    """Rows are in the order of their first events, also after expiry and return."""
    for circuit in "cab":
        harness.write(observation(1.0, circuit))
    harness.clock.now += TTL + 1
    for circuit in "bca":
        harness.write(observation(2.0, circuit))
    assert [circuit for circuit, _ in harness.store.rows("port|metrics")["a"]] == [("c",), ("a",), ("b",)]


def test_a_copy_does_not_change(harness: StoreHarness) -> None:
    """The result of rows() does not change with later writes."""
    harness.write(observation(1.0, at=T))
    copy = harness.store.rows("port|metrics")
    harness.write(observation(2.0, at=T + 1))
    harness.write(observation(2.0, "q"))
    ((circuit, row),) = copy["a"]
    assert (circuit, row.values) == (("p",), (1.0,) * 8)


def test_an_account_is_listed_from_the_start(harness: StoreHarness) -> None:
    """An account without events has no rows and no series, but is listed."""
    assert harness.store.rows("vc|metrics") == {"a": [], "b": []}
    assert harness.store.series() == {"a": 0, "b": 0}


def test_a_removed_account_is_gone(harness: StoreHarness) -> None:
    """All rows and series of a removed account go, live and expired ones, and the version still increases."""
    harness.write(observation(1.0, "old"))
    harness.clock.now += TTL + 1
    harness.write(observation(1.0))
    harness.write(observation(2.0), "b")
    version = harness.store.version("port|metrics")
    harness.store.remove_account("a")
    assert harness.store.series() == {"b": 9}
    assert list(harness.store.rows("port|metrics")) == ["b"]
    assert harness.store.version("port|metrics") > version


def test_a_removed_account_makes_room() -> None:
    """The limit no longer counts the rows of a removed account."""
    harness = StoreHarness(limit=9)
    harness.write(observation(1.0))
    assert harness.write(observation(1.0), "b") is WriteResult.REFUSED
    harness.store.remove_account("a")
    assert harness.write(observation(1.0), "b") is WriteResult.KEPT


# Expiry


def test_an_expired_row_has_no_values(harness: StoreHarness) -> None:
    """Up to the TTL a row has its values; after it only the time of the last event."""
    harness.write(observation(1.0, at=T))
    harness.clock.now += TTL
    assert harness.values() == (1.0,) * 8
    harness.clock.now += 0.001
    assert harness.row() == Row((), (), None, 50.0, T)
    assert harness.store.series() == {"a": 1, "b": 0}
    harness.write(observation(2.0, at=T - 1000))
    assert harness.values() == (2.0,) * 8


def test_rows_expire_separately(harness: StoreHarness) -> None:
    """A row that is updated keeps its values while other circuits, events and accounts expire."""
    for circuit in "pq":
        for event in EVENTS:
            harness.write(observation(1.0, circuit, event))
            harness.write(observation(1.0, circuit, event), "b")
    harness.clock.now += TTL - 1
    harness.write(observation(2.0))
    harness.clock.now += 2
    live = {
        (account, event, circuit)
        for account in "ab"
        for event in EVENTS
        for circuit in "pq"
        if harness.values(circuit, event, account)
    }
    assert live == {("a", "port|metrics", "p")}


def test_expiry_counts_from_the_last_event(harness: StoreHarness) -> None:
    """A row expires by its last event, not its first."""
    harness.write(observation(1.0, "p"))
    harness.clock.now += 1
    harness.write(observation(1.0, "q"))
    harness.clock.now += 1
    harness.write(observation(2.0, "p"))
    harness.clock.now += TTL - 0.5
    assert (harness.values("p"), harness.values("q")) == ((2.0,) * 8, ())


def test_duplicates_do_not_prevent_expiry(harness: StoreHarness) -> None:
    """A row whose sample is only repeated expires."""
    for _ in range(3):
        harness.write(observation(1.0, at=T))
        harness.clock.now += TTL / 3
    assert harness.values() == (1.0,) * 8
    harness.clock.now += 1
    assert harness.values() == ()


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 10 * 365 * 86400.0, -10 * 365 * 86400.0])
def test_the_wall_clock_may_jump(jump: float, harness: StoreHarness) -> None:
    """Expiry, order and duplicates do not depend on the wall clock; only received_at does."""
    harness.write(observation(1.0, "p", at=T))
    harness.wall.now += jump
    assert harness.values("p") == (1.0,) * 8
    assert harness.write(observation(1.0, "p", at=T)) is WriteResult.DUPLICATE
    assert harness.write(observation(2.0, "p", at=T + 1)) is WriteResult.KEPT
    row = harness.row()
    assert row is not None
    assert (row.received_monotonic, row.received_at) == (50.0, T + jump)
    harness.wall.now -= jump
    harness.clock.now += TTL + 1
    assert harness.values("p") == ()


# Duplicates and order


@pytest.mark.parametrize("event", ["port|metrics", "port|errors"])
def test_a_sample_that_comes_for_ever(event: str) -> None:
    """A source that only repeats its last sample looks silent; its next sample, or an older one, is kept."""
    harness = StoreHarness(delta=("port|errors",))
    assert harness.write(observation(5.0, event=event, at=T)) is WriteResult.KEPT
    for _ in range(3):
        harness.clock.now += TTL + 1
        assert harness.write(observation(5.0, event=event, at=T)) is WriteResult.DUPLICATE
        assert harness.values(event=event) == ()
    assert harness.write(observation(5.0, event=event, at=T - 1)) is WriteResult.KEPT


def test_samples_with_the_same_time_for_ever(harness: StoreHarness) -> None:
    """With a clock that has stopped, or without times, values are kept after a silence."""
    for value, at in ((5.0, T), (6.0, T), (6.0, None), (6.0, None)):
        assert harness.write(observation(value, at=at)) is WriteResult.KEPT
        harness.clock.now += TTL + 1
        assert harness.values() == ()


def test_a_duplicate_is_dropped(harness: StoreHarness) -> None:
    """A sample from two overlapping streams is stored once, with the time of the first."""
    harness.write(observation(1.0, at=T))
    harness.clock.now += 5
    assert harness.write(observation(1.0, at=T)) is WriteResult.DUPLICATE
    row = harness.row()
    assert row is not None
    assert row.received_monotonic == 50.0


def test_another_sample_of_the_same_second_is_kept(harness: StoreHarness) -> None:
    """Timestamps have whole seconds: other values are another sample, and the later one wins."""
    harness.write(observation(1.0, at=T))
    assert harness.write(observation(2.0, at=T)) is WriteResult.KEPT
    assert harness.values() == (2.0,) * 8


def test_an_older_sample_is_dropped(harness: StoreHarness) -> None:
    """A sample older than the stored one does not replace it."""
    harness.write(observation(2.0, at=T))
    assert harness.write(observation(1.0, at=T - 0.001)) is WriteResult.OUT_OF_ORDER
    assert harness.values() == (2.0,) * 8


def test_counters_give_the_order_within_a_second(harness: StoreHarness) -> None:
    """Of two samples with one timestamp, the one with lower counters is the earlier, and no reset."""
    harness.write(observation(2.0, at=T))
    assert harness.write(observation(1.0, at=T)) is WriteResult.OUT_OF_ORDER
    assert harness.values() == (2.0,) * 8


def test_without_a_timestamp_there_is_no_order(harness: StoreHarness) -> None:
    """An event without a timestamp always replaces the row, and so does the one after it."""
    harness.write(observation(3.0, at=T))
    assert harness.write(observation(4.0)) is WriteResult.KEPT
    assert harness.write(observation(4.0)) is WriteResult.KEPT
    assert harness.write(observation(5.0, at=T - 100)) is WriteResult.KEPT
    assert harness.values() == (5.0,) * 8


def test_a_timestamp_in_the_future_expires(harness: StoreHarness) -> None:
    """After a sample from the year 2099 correct ones are dropped, but no longer than the TTL."""
    harness.write(observation(1.0, at=4_070_908_800.0))
    results = []
    for minute in range(12):
        results.append(harness.write(observation(2.0, at=T + 60 * minute)))
        harness.clock.now += 60
    assert results == [WriteResult.OUT_OF_ORDER] * 11 + [WriteResult.KEPT]
    assert harness.values() == (2.0,) * 8


def test_a_row_without_lanes_has_an_order(harness: StoreHarness) -> None:
    """A module without light has no values; duplicates and older samples of it are still recognized."""
    assert harness.write(observation(1.0, event="port|optical", at=T, lanes=0)) is WriteResult.KEPT
    assert harness.write(observation(1.0, event="port|optical", at=T, lanes=0)) is WriteResult.DUPLICATE
    assert harness.write(observation(1.0, event="port|optical", at=T - 1)) is WriteResult.OUT_OF_ORDER
    assert harness.values(event="port|optical") == ()
    assert harness.write(observation(1.0, event="port|optical", at=T + 1, lanes=8)) is WriteResult.KEPT
    assert harness.store.series()["a"] == 49


# Times of samples


@pytest.mark.parametrize(
    ("at", "sampled_at"), [(T - 5, T - 5), (None, T), (T + 59, T + 59), (T + 60, T + 60), (T + 7200, T + 60)]
)
def test_the_time_of_a_sample(harness: StoreHarness, at: float | None, sampled_at: float) -> None:
    """It is the event's timestamp, or else its arrival, and never more than a minute after the arrival."""
    harness.write(observation(1.0, at=at))
    row = harness.row()
    assert row is not None
    assert row.sampled_at == sampled_at
