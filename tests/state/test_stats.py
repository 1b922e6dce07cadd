"""The state and counters of one account's threads."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace

import pytest

from pf_exporter.config.accounts import Account, StreamFilter
from pf_exporter.config.secrets import Secret
from pf_exporter.reason import Reason
from pf_exporter.schema.activity import CATEGORIES, LOG_LEVELS
from pf_exporter.schema.events import EVENT_NAMES
from pf_exporter.state.gaps import Gap
from pf_exporter.state.stats import LAG_BUCKETS, MAX_LAG, AccountStats, StreamState
from tests.state.harness import Clock, T

IDLE_TIMEOUT = 120.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def wall_clock(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the wall clock advance with the monotonic one, from ``T`` on."""
    monkeypatch.setattr(time, "time", lambda: T + clock.now)


@pytest.fixture
def stats(clock: Clock) -> AccountStats:
    return account_stats(clock)


def account_stats(clock: Clock, *streams: StreamFilter) -> AccountStats:
    account = Account(token=Secret("x"))
    if streams:
        account = replace(account, streams=streams)
    return AccountStats(account, idle_timeout=IDLE_TIMEOUT, clock=clock)


def test_up_falls_after_the_idle_timeout(clock: Clock, stats: AccountStats) -> None:
    """The account is up from a stream's first byte, down after the idle timeout, up at the next byte."""

    def up_after(seconds: float) -> bool:
        clock.now += seconds
        return stats.up

    assert not up_after(0.0)
    stats.opened()
    assert not up_after(0.0)  # no byte yet
    stats.last_byte_at = clock.now
    assert up_after(IDLE_TIMEOUT)
    assert not up_after(0.1)
    stats.last_byte_at = clock.now
    assert up_after(0.0)
    stats.lost(Reason.BROKEN, StreamState.BACKOFF)
    assert not up_after(0.0)


def test_time_without_a_stream_is_counted(clock: Clock, stats: AccountStats) -> None:
    """Gaps last from the start to the first stream and between streams, including the current one."""
    clock.now += 5
    assert stats.gap_seconds == 5
    stats.opened()
    clock.now += 100
    assert stats.gap_seconds == 5
    stats.lost(Reason.ENDED, StreamState.CONNECTING)
    clock.now += 2
    stats.lost(Reason.UNAVAILABLE, StreamState.BACKOFF)
    clock.now += 1
    assert stats.gap_seconds == 8
    stats.opened()
    assert stats.gap_seconds == 8


def test_a_gap_can_start_and_end_in_the_past(clock: Clock, stats: AccountStats) -> None:
    """The gap starts with the last byte of a dead stream and ends when its successor was opened."""
    stats.opened()
    clock.now += 100
    stats.lost(Reason.IDLE, StreamState.CONNECTING, since=clock.now - 30)
    assert stats.gap_seconds == 30
    stats.opened(clock.now - 10)
    assert stats.gap_seconds == 20


def test_a_rotation_is_no_gap(clock: Clock, stats: AccountStats) -> None:
    """A stream replaced by one that was already open changes neither state nor gap."""
    stats.opened()
    clock.now += 10
    stats.rotated()
    assert (stats.connects, stats.disconnects[Reason.ROTATED], stats.gap_seconds) == (2, 1, 0)
    assert stats.state is StreamState.STREAMING
    assert stats.events_lost == {Reason.ROTATED: 0}
    stats.rotated(was_cut=True)
    assert stats.events_lost == {Reason.ROTATED: 1}


@pytest.mark.usefixtures("wall_clock")
def test_gaps_are_kept_with_their_times(clock: Clock, stats: AccountStats) -> None:
    """Each gap is kept with its start and end in UNIX seconds; a cut stream has one after its last event."""
    clock.now += 5
    stats.opened()
    clock.now += 100
    lost = clock.now
    stats.lost(Reason.IDLE, StreamState.CONNECTING, since=lost - 30)
    clock.now += 50
    stats.opened(lost + 10)
    clock.now += 100
    stats.rotated()
    clock.now += 100
    stats.observe_lag(3.0)
    stats.observe_lag(400.0)
    stats.rotated(was_cut=True)
    start, now = T + lost - 105, T + clock.now
    assert stats.gaps.records() == [
        (start, start + 5),
        (T + lost - 30, T + lost + 10),
        (now - 400, now),
    ]


@pytest.mark.usefixtures("wall_clock")
def test_gaps_pass_to_the_next_reader(clock: Clock, stats: AccountStats) -> None:
    """The next reader of an account has the gaps so far, and ends the open one; it counts from 0."""
    clock.now += 5
    stats.opened()
    clock.now += 100
    stats.stopped()
    stopped = T + clock.now
    clock.now += 10
    for _ in range(2):  # the second one takes over from one that has never opened a stream
        following = AccountStats(Account(), idle_timeout=30, clock=clock)
        following.take_over(stats)
        stats = following
    clock.now += 20
    stats.opened()
    assert stats.gap_seconds == 20
    gaps = [(stopped - 105, stopped - 100), (stopped, stopped + 30)]
    assert stats.gaps.records() == gaps
    clock.now += 10
    stats.lost(Reason.BROKEN, StreamState.CONNECTING)
    clock.now += 1
    stats.opened()
    assert stats.gaps.records() == [*gaps, (stopped + 40, stopped + 41)]


def test_a_stopped_stream_is_counted(stats: AccountStats) -> None:
    """The end of the thread is a disconnect with its own reason."""
    stats.opened()
    stats.stopped()
    assert stats.state is StreamState.STOPPED
    assert {reason: count for reason, count in stats.disconnects.items() if count} == {Reason.STOPPED: 1}


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(-3600.0, 0), (0.5, 0), (0.6, 1), (600.0, 9), (1e6, len(LAG_BUCKETS)), (6.4e10, len(LAG_BUCKETS))],
)
def test_lag_is_counted_in_one_bucket(stats: AccountStats, seconds: float, bucket: int) -> None:
    """A lag belongs to the bucket with the next bound; a negative lag counts as 0, at most a day counts."""
    stats.observe_lag(seconds)
    assert stats.lags == [int(index == bucket) for index in range(len(LAG_BUCKETS) + 1)]
    assert stats.lag_sum == min(max(seconds, 0.0), MAX_LAG)


def test_counters_start_at_zero(clock: Clock) -> None:
    """Every event name and subscribed category exists from the start, so that increase() works."""
    stats = account_stats(clock, StreamFilter("customer", ("auth", "user")), StreamFilter("port"))
    assert stats.events.keys() == {*EVENT_NAMES, "other"}
    assert stats.activity.keys() == {
        (category, level) for category in ("auth", "user") for level in LOG_LEVELS
    }
    numbers = (stats.session.login_attempts, stats.bytes, stats.connects, stats.series_dropped, stats.lag_sum)
    by_label = (
        stats.events,
        stats.activity,
        stats.rejected,
        stats.fields_rejected,
        stats.fields_unknown,
        stats.resets,
        stats.caught_up,
        stats.disconnects,
        stats.events_lost,
    )
    assert {*numbers, *itertools.chain.from_iterable(counts.values() for counts in by_label)} == {0}


def test_without_filters_every_category_is_subscribed(clock: Clock) -> None:
    """An account without filters gets all sixteen categories; one without customer events gets none."""
    assert len(account_stats(clock).activity) == len(CATEGORIES) * len(LOG_LEVELS)
    assert account_stats(clock, StreamFilter("port")).activity == {}


def test_types_of_measurements(clock: Clock) -> None:
    """An account that subscribes to the activity log and to ports receives no measurements of circuits."""
    streams = (StreamFilter(type="customer"), StreamFilter(type="port"))
    account = replace(Account(), streams=streams)
    assert AccountStats(account, idle_timeout=IDLE_TIMEOUT, clock=clock).measured == {"port": 1, "vc": 0}
    assert AccountStats(Account(), idle_timeout=IDLE_TIMEOUT, clock=clock).measured == {"port": 1, "vc": 1}


def test_each_gap_is_handed_over(clock: Clock, stats: AccountStats) -> None:
    """A consumer receives each gap as soon as it has ended."""
    found: list[Gap] = []
    stats.gaps.on_gap = found.append
    clock.now += 5
    assert found == []
    stats.opened()
    assert found == stats.gaps.records()
    assert len(found) == 1
