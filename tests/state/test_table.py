"""Counters in the store: resets, and sums of deltas."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pf_exporter.state.store import WriteResult
from tests.state.harness import TTL, StoreHarness, T, observation


@pytest.fixture
def harness() -> StoreHarness:
    return StoreHarness()


def test_a_lower_counter_is_a_reset(harness: StoreHarness) -> None:
    """A counter below its last value is kept and reported as a reset; gauges may fall, and expiry forgets."""
    before = observation(5.0)
    harness.write(before)
    lower_gauges = replace(before, values=(5.0, 5.0, 1.0, 1.0, 6.0, 6.0, 1.0, 1.0))
    assert harness.write(lower_gauges) is WriteResult.KEPT
    for index in (0, 1, 4, 5):
        harness.write(replace(before, values=(9.0,) * 8))
        values = tuple(0.0 if column == index else 9.0 for column in range(8))
        assert harness.write(replace(before, values=values)) is WriteResult.RESET
        assert harness.values() == values
    harness.clock.now += TTL + 1
    assert harness.write(observation(0.0)) is WriteResult.KEPT


def test_an_absent_counter_is_no_reset(harness: StoreHarness) -> None:
    """Absent values are not compared; a reset beside them is recognized."""
    harness.write(observation(5.0))
    absent = (None, *(5.0,) * 7)
    assert harness.write(replace(observation(5.0), values=absent)) is WriteResult.KEPT
    assert harness.write(replace(observation(5.0), values=(0.0, *(5.0,) * 7))) is WriteResult.KEPT
    harness.write(observation(5.0))
    assert harness.write(replace(observation(5.0), values=(None, 4.0, *(5.0,) * 6))) is WriteResult.RESET


def test_deltas_add_up() -> None:
    """If an event carries deltas, the row holds their sum; absent values change nothing."""
    harness = StoreHarness(delta=("port|errors",))
    for index, value in enumerate((3.0, 0.0, None, 4.0)):
        assert harness.write(observation(value, event="port|errors", at=T + index)) is WriteResult.KEPT
        assert harness.write(observation(value, at=T + index)) is not WriteResult.DUPLICATE
    assert harness.values(event="port|errors") == (7.0,) * 19
    assert harness.values() == (4.0,) * 8


def test_gauges_do_not_add_up() -> None:
    """In an event with deltas a rate is still the last one."""
    harness = StoreHarness(delta=("port|metrics",))
    harness.write(observation(3.0, at=T))
    harness.write(observation(4.0, at=T + 1))
    assert harness.values() == (7.0, 7.0, 4.0, 4.0, 7.0, 7.0, 4.0, 4.0)


def test_a_sum_starts_with_the_first_delta() -> None:
    """A field that is absent at first stays absent until its first delta."""
    harness = StoreHarness(delta=("port|errors",))
    harness.write(observation(None, event="port|errors"))
    assert harness.values(event="port|errors") == (None,) * 19
    harness.write(observation(2.0, event="port|errors"))
    assert harness.values(event="port|errors") == (2.0,) * 19


def test_a_delta_counts_once() -> None:
    """A second event of the same second is the same delta, even if its values differ."""
    harness = StoreHarness(delta=("port|errors",))
    harness.write(observation(3.0, event="port|errors", at=T))
    assert harness.write(observation(3.0, event="port|errors", at=T)) is WriteResult.DUPLICATE
    assert harness.write(observation(4.0, event="port|errors", at=T)) is WriteResult.DUPLICATE
    assert harness.write(observation(4.0, event="port|errors", at=T - 1)) is WriteResult.OUT_OF_ORDER
    assert harness.values(event="port|errors") == (3.0,) * 19


def test_a_sum_starts_again_after_expiry() -> None:
    """Within the TTL the sum continues; after it a new one starts."""
    harness = StoreHarness(delta=("port|errors",))
    harness.write(observation(3.0, event="port|errors"))
    harness.clock.now += TTL
    harness.write(observation(4.0, event="port|errors"))
    assert harness.values(event="port|errors") == (7.0,) * 19
    harness.clock.now += TTL + 1
    assert harness.write(observation(5.0, event="port|errors")) is WriteResult.KEPT
    assert harness.values(event="port|errors") == (5.0,) * 19
