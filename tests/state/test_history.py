"""The recent past of an account's stream."""

from __future__ import annotations

import pytest

from pf_exporter.config.accounts import Account
from pf_exporter.reason import Reason
from pf_exporter.state.history import (
    MAX_ERRORS,
    RATE_WINDOW,
    SNAPSHOT_INTERVAL,
    AccountHistory,
    CounterSnapshot,
    ErrorLog,
    ErrorRecord,
)
from pf_exporter.state.stats import AccountStats, StreamState


def snapshot(at: float, events: int, lag_sum: float = 0.0, lag_count: int = 0) -> CounterSnapshot:
    return CounterSnapshot(at, {"port|metrics": events}, lag_sum, lag_count)


def test_errors_are_recorded_with_their_messages() -> None:
    """Only disconnects caused by errors are recorded, with the logged message, the latest last."""
    stats = AccountStats(Account(), idle_timeout=1.0)
    stats.lost(Reason.ENDED, StreamState.BACKOFF, message="stream: ended")
    stats.rotated()
    stats.lost(Reason.IDLE, StreamState.BACKOFF, message="stream: no data")
    stats.stopped()
    records = stats.history.errors.records()
    assert [(record.reason, record.message) for record in records] == [
        (Reason.ENDED, "stream: ended"),
        (Reason.IDLE, "stream: no data"),
    ]


def test_an_error_that_repeats_is_one_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """The record has the first and the last time and a count; another message is another record."""
    now = 1000.0
    monkeypatch.setattr("pf_exporter.state.history.time.time", lambda: now)
    log = ErrorLog()
    for message in ("a", "b", "a", "a"):
        log.add(Reason.BROKEN, message)
        now += 1
    assert log.records() == [
        ErrorRecord(Reason.BROKEN, "b", 1001.0, 1001.0, 1),
        ErrorRecord(Reason.BROKEN, "a", 1000.0, 1003.0, 3),
    ]


def test_the_last_errors_are_kept() -> None:
    """Only the latest of many different errors are kept."""
    log = ErrorLog()
    for number in range(2 * MAX_ERRORS):
        log.add(Reason.BROKEN, f"error {number}")
    assert [record.message for record in log.records()] == [
        f"error {number}" for number in range(MAX_ERRORS, 2 * MAX_ERRORS)
    ]


def test_times_of_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """The start of the stream, its planned rotation and the next attempt are known while they are true."""
    now = 1000.0
    monkeypatch.setattr("pf_exporter.state.stats.time.time", lambda: now)
    stats = AccountStats(Account(), idle_timeout=1.0)

    def times() -> tuple[float | None, ...]:
        return stats.subscribed_at, stats.stream_opened_at, stats.rotate_at, stats.retry_at

    stats.subscribed("8f3c")
    stats.opened()
    stats.rotation_planned(60.0)
    assert times() == (1000.0, 1000.0, 1060.0, None)
    now = 1060.0
    stats.rotated()
    stats.rotation_planned(float("inf"))
    assert times() == (1000.0, 1060.0, None, None)
    stats.lost(Reason.BROKEN, StreamState.CONNECTING)
    stats.waiting(5.0)
    assert (stats.state, times()) == (StreamState.BACKOFF, (1000.0, None, None, 1065.0))
    stats.connecting()
    assert (stats.state, times()) == (StreamState.CONNECTING, (1000.0, None, None, None))


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


def test_the_mean_lag_is_of_the_last_minute() -> None:
    """Lags and events before the last minute count neither for the mean lag nor for the rates."""
    history = AccountHistory(snapshot(0.0, 0))
    history.rates(snapshot(900.0, 5000, lag_sum=100.0, lag_count=50))
    later = CounterSnapshot(1000.0, {"port|metrics": 5200, "vc|metrics": 300}, 106.0, 54)
    assert history.rates(later) == ({"port|metrics": 2.0, "vc|metrics": 3.0}, 1.5)


def test_rates_divide_by_a_second_at_least() -> None:
    """In the first second rates are those of a whole second."""
    history = AccountHistory(snapshot(0.0, 0))
    assert history.rates(snapshot(0.5, 3)).events == {"port|metrics": 3.0}
    assert history.rates(snapshot(1.5, 3)).events == {"port|metrics": 2.0}


def test_snapshots_are_kept_for_the_window() -> None:
    """A snapshot is the start of the rates from when it is as old as the window."""
    history = AccountHistory(snapshot(0.0, 0))
    history.rates(snapshot(SNAPSHOT_INTERVAL, 600))
    history.rates(snapshot(2 * SNAPSHOT_INTERVAL - 0.5, 10**6))  # too early to be kept
    end = SNAPSHOT_INTERVAL + RATE_WINDOW
    assert history.rates(snapshot(end, 1200)).events == {"port|metrics": 600 / RATE_WINDOW}
    later = end + SNAPSHOT_INTERVAL
    assert history.rates(snapshot(later, 1200)).events == {"port|metrics": 600 / (later - SNAPSHOT_INTERVAL)}
