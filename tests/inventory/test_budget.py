"""The budget of requests."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pf_exporter.inventory.budget import RequestBudget
from tests.state.harness import Clock


@given(st.integers(10, 200), st.lists(st.floats(0, 90), max_size=40))
def test_no_minute_has_more_requests(per_minute: int, pauses: list[float]) -> None:
    """However requests and pauses follow each other, no minute has more requests than the budget."""
    clock = Clock(0.0)
    budget = RequestBudget(per_minute, clock=clock)
    times = []
    for pause in itertools.chain(pauses, itertools.repeat(0.0, 2 * per_minute)):
        clock.now += pause + budget.delay()
        budget.take()
        times.append(clock.now)
    for first, last in zip(times, times[per_minute:], strict=False):
        assert last - first >= 60 - 1e-6


@pytest.mark.parametrize(("per_minute", "at_once"), [(60, 15), (600, 150), (10, 2)])
def test_some_requests_are_made_at_once(per_minute: int, at_once: int) -> None:
    """A quarter of the budget needs no wait; then requests are evenly spaced."""
    clock = Clock(0.0)
    budget = RequestBudget(per_minute, clock=clock)
    for _ in range(at_once):
        assert budget.delay() == 0
        budget.take()
    assert budget.delay() > 0
    assert budget.per_second == pytest.approx((per_minute - per_minute / 4) / 60)


def test_hold() -> None:
    """While the API asks to wait, no request is allowed, and a shorter wait does not end a longer one."""
    clock = Clock(0.0)
    budget = RequestBudget(60, clock=clock)
    budget.hold(100.0)
    budget.hold(1.0)
    clock.now = 40.0
    assert budget.delay() == 60.0
    clock.now = 100.0
    assert budget.delay() == 0.0
