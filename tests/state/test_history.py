"""The recent past of an account's stream."""

from __future__ import annotations

import pytest

from pf_exporter.config.accounts import Account
from pf_exporter.reason import Reason
from pf_exporter.state.history import MAX_ERRORS, RATE_WINDOW, AccountHistory, CounterSnapshot
from pf_exporter.state.stats import AccountStats, StreamState


def snapshot(at: float, events: int, lag_sum: float = 0.0, lag_count: int = 0) -> CounterSnapshot:
    return CounterSnapshot(at, {"port|metrics": events}, lag_sum, lag_count)


def test_the_last_errors_are_kept() -> None:
    """Of all disconnects only errors are recorded, the latest five, oldest first."""
    stats = AccountStats(Account(), idle_timeout=1.0)
    stats.lost(Reason.ENDED, StreamState.BACKOFF)
    stats.rotated()
    stats.lost(Reason.IDLE, StreamState.BACKOFF)
    assert [error.reason for error in stats.history.errors()] == [Reason.ENDED, Reason.IDLE]
    for _ in range(9):
        stats.lost(Reason.BROKEN, StreamState.BACKOFF)
    stats.stopped()
    assert [error.reason for error in stats.history.errors()] == [Reason.BROKEN] * MAX_ERRORS


def test_state_since_is_the_last_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of the current state changes when a stream is opened or lost, not with each failed attempt."""
    now = 1000.0
    monkeypatch.setattr("pf_exporter.state.history.time.time", lambda: now)
    stats = AccountStats(Account(), idle_timeout=1.0)
    now = 1001.0
    stats.lost(Reason.UNAVAILABLE, StreamState.BACKOFF)
    assert stats.history.state_since == 1000.0
    stats.opened()
    assert stats.history.state_since == 1001.0
    now = 1002.0
    stats.rotated()
    assert stats.history.state_since == 1001.0
    stats.lost(Reason.BROKEN, StreamState.BACKOFF)
    assert stats.history.state_since == 1002.0
    now = 1003.0
    stats.stopped()
    assert stats.history.state_since == 1002.0


def test_rates_cover_the_last_minute() -> None:
    """Rates and mean lag are those between a snapshot of a minute ago and now, not since the start."""
    history = AccountHistory(snapshot(0.0, 0))
    history.rates(snapshot(900.0, 5000))
    rates = history.rates(snapshot(1000.0, 5200, lag_sum=6.0, lag_count=4))
    assert rates.events == {"port|metrics": 2.0}
    assert rates.mean_lag == 1.5


def test_rates_after_a_pause_cover_the_pause() -> None:
    """Without a recent snapshot the rates are those since the last one."""
    history = AccountHistory(snapshot(0.0, 0))
    assert history.rates(snapshot(1000.0, 500)).events == {"port|metrics": 0.5}


def test_frequent_requests_do_not_shorten_the_window() -> None:
    """However often rates are requested, they cover about a minute."""
    history = AccountHistory(snapshot(0.0, 0))
    for second in range(1, 301):
        history.rates(snapshot(float(second), 0 if second <= 240 else 60 * (second - 240)))
    (rate,) = history.rates(snapshot(300.0, 3600)).events.values()
    assert rate == pytest.approx(3600 / RATE_WINDOW, rel=0.1)


def test_rates_of_the_first_second_are_finite() -> None:
    """A request right after the start divides by one second at least; without events there is no mean lag."""
    stats = AccountStats(Account(), idle_timeout=1.0)
    stats.events["port|metrics"] += 3
    rates = stats.recent_rates()
    assert rates.events["port|metrics"] <= 3.0
    assert rates.mean_lag is None
