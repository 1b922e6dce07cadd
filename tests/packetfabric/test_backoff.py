"""Waiting: within its bounds, growing, spread, and a value."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.packetfabric.backoff import Backoff

seconds = st.floats(0.001, 86_400)
chance = st.floats(0, 1, exclude_max=True)


@given(seconds, seconds, st.integers(0, 10**6), chance)
def test_a_delay_keeps_within_its_bounds(one: float, other: float, attempt: int, random: float) -> None:
    """However many attempts have failed, the wait is neither below the minimum nor above the maximum."""
    low, high = sorted((one, other))
    delay = Backoff(low, high, attempt).delay(random)
    assert low <= delay <= high * (1 + 1e-9)


@given(seconds, st.integers(0, 100), chance)
def test_a_minimum_above_the_maximum_is_never_a_hot_loop(maximum: float, attempt: int, random: float) -> None:
    """Settings in the wrong order make waits that are odd, but never shorter than the lesser of the two."""
    assert Backoff(maximum * 2, maximum, attempt).delay(random) >= maximum


def test_the_range_doubles_up_to_the_maximum() -> None:
    """The upper end of the range doubles with every failure, until the maximum."""
    backoff = Backoff(1, 60)
    ceilings = []
    for _ in range(8):
        ceilings.append(round(backoff.delay(1 - 1e-12)))
        backoff = backoff.next()
    assert ceilings == [2, 4, 8, 16, 32, 60, 60, 60]


def test_chance_spreads_evenly() -> None:
    """The wait is linear in the chance, so that a fleet does not return together."""
    backoff = Backoff(1, 60, attempt=9)
    assert [backoff.delay(chance) for chance in (0, 0.25, 0.5)] == [1, 15.75, 30.5]


def test_it_is_a_value() -> None:
    """Failures and successes make new values; nobody's schedule changes under them."""
    first = Backoff(1, 60)
    assert first.next().next() == Backoff(1, 60, attempt=2)
    assert first.next().reset() == first
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.attempt = 3  # type: ignore[misc]
