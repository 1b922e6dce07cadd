"""Waiting: within its bounds, growing, spread, and a value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.packetfabric.backoff import Backoff

seconds = st.floats(0.001, 86_400)
chance = st.floats(0, 1, exclude_max=True)


@given(seconds, seconds, st.integers(0, 10**6), chance)
def test_delay_is_within_its_bounds(one: float, other: float, attempt: int, random: float) -> None:
    """After any number of failures the delay is between the minimum and the maximum."""
    low, high = sorted((one, other))
    delay = Backoff(low, high, attempt).delay(random)
    assert low <= delay <= high * (1 + 1e-9)


@given(seconds, st.integers(0, 100), chance)
def test_minimum_above_the_maximum(maximum: float, attempt: int, random: float) -> None:
    """Settings in the wrong order never give a delay below the smaller of the two."""
    assert Backoff(maximum * 2, maximum, attempt).delay(random) >= maximum


def test_upper_bound_doubles_up_to_the_maximum() -> None:
    """The upper bound of the delay doubles with each failure until it reaches the maximum."""
    backoff = Backoff(1, 60)
    ceilings = []
    for _ in range(8):
        ceilings.append(round(backoff.delay(1 - 1e-12)))
        backoff = backoff.next()
    assert ceilings == [2, 4, 8, 16, 32, 60, 60, 60]


def test_jitter_is_uniform() -> None:
    """The delay is linear in the random number, so that a fleet does not return at the same time."""
    backoff = Backoff(1, 60, attempt=9)
    assert [backoff.delay(chance) for chance in (0, 0.25, 0.5)] == [1, 15.75, 30.5]


def test_backoff_is_immutable() -> None:
    """Failures and successes return new values."""
    first = Backoff(1, 60)
    assert first.next().next() == Backoff(1, 60, attempt=2)
    assert first.next().reset() == first
    with pytest.raises(AttributeError):
        first.attempt = 3  # type: ignore[misc]
