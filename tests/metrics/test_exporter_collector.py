"""The exporter's metrics about itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pf_exporter.config.accounts import Account, StreamFilter
from pf_exporter.config.secrets import Secret
from pf_exporter.metrics.exporter_collector import SELF_METRICS, ExporterCollector
from pf_exporter.reason import Reason
from pf_exporter.schema.activity import CATEGORIES, LOG_LEVELS
from pf_exporter.schema.events import EVENT_NAMES
from pf_exporter.state.stats import STATES, AccountStats


class Clock:
    """A clock a test can turn."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def stats(clock: Clock, *streams: StreamFilter) -> AccountStats:
    account = Account(token=Secret("x"))
    if streams:
        account = replace(account, streams=streams)
    return AccountStats(account, idle_timeout=120.0, clock=clock)


def samples(one: AccountStats, name: str) -> dict[tuple[str, ...], float]:
    """The samples of a family, by the values of their labels besides the account."""
    for metric in ExporterCollector([one]).collect():
        if metric.name == name:
            return {
                (sample.name, *(v for k, v in sample.labels.items() if k != "account")): sample.value
                for sample in metric.samples
            }
    raise AssertionError(name)


def test_up_falls_within_the_idle_timeout() -> None:
    """Up from the first byte of a stream, down when it has been silent too long, up at the next byte."""
    clock = Clock()
    one = stats(clock)

    def up_after(seconds: float) -> bool:
        clock.now += seconds
        return one.up

    assert not up_after(0.0)
    one.opened()
    assert not up_after(0.0)  # not heard yet
    one.heard = clock.now
    assert up_after(120.0)
    assert not up_after(0.1)
    one.heard = clock.now
    assert up_after(0.0)
    one.lost(Reason.BROKEN, "backoff")
    assert not up_after(0.0)


def test_every_second_without_a_stream_is_counted() -> None:
    """From the start until the first stream, and between streams, while it lasts and afterwards."""
    clock = Clock()
    one = stats(clock)
    clock.now += 5
    assert one.gap_seconds == 5
    one.opened()
    clock.now += 100
    assert one.gap_seconds == 5
    one.lost(Reason.ENDED, "connecting")
    clock.now += 2
    one.lost(Reason.UNAVAILABLE, "backoff")
    clock.now += 1
    assert one.gap_seconds == 8
    one.opened()
    assert one.gap_seconds == 8


def test_a_renewal_is_no_gap() -> None:
    """A stream replaced by one that was open already leaves state and gap as they are."""
    clock = Clock()
    one = stats(clock)
    one.opened()
    clock.now += 10
    one.renewed()
    assert (one.connects, one.disconnects["rotated"], one.gap_seconds, one.state) == (2, 1, 0, "streaming")


def test_one_state_at_a_time() -> None:
    """The states are a set of which exactly one is 1."""
    one = stats(Clock())
    for state in STATES:
        one.state = state
        found = samples(one, "packetfabric_stream_state")
        assert {labels[1]: value for labels, value in found.items()} == {s: float(s == state) for s in STATES}


@pytest.mark.parametrize(("seconds", "bucket"), [(-3600.0, "0.5"), (0.5, "0.5"), (0.6, "1.0"), (1e6, "+Inf")])
def test_lag_is_a_histogram(seconds: float, bucket: str) -> None:
    """Each lag is in its bucket and all above; a network clock that is ahead counts as 0."""
    clock = Clock()
    one = stats(clock)
    one.lag(seconds)
    found = samples(one, "packetfabric_stream_event_lag_seconds")
    inside = [labels[1] for labels, value in found.items() if labels[0].endswith("_bucket") and value]
    assert inside[0] == bucket
    assert found[("packetfabric_stream_event_lag_seconds_count",)] == 1
    assert found[("packetfabric_stream_event_lag_seconds_sum",)] == pytest.approx(max(seconds, 0))


def test_what_is_known_beforehand_is_there_at_zero() -> None:
    """Every event name and subscribed category exists from the first scrape, so that increase() works."""
    one = stats(Clock(), StreamFilter("customer", ("auth", "user")), StreamFilter("port"))
    events = samples(one, "packetfabric_stream_events")
    assert {labels[1] for labels in events} == {*EVENT_NAMES, "other"}
    activity = samples(one, "packetfabric_activity_events")
    assert {labels[1:] for labels in activity} == {
        (c, level) for c in ("auth", "user") for level in LOG_LEVELS
    }
    assert set(events.values()) | set(activity.values()) == {0}


def test_without_filters_every_category_is_subscribed() -> None:
    """An account without filters gets all sixteen categories; one without customer events gets none."""
    assert len(stats(Clock()).activity) == len(CATEGORIES) * len(LOG_LEVELS)
    assert stats(Clock(), StreamFilter("port")).activity == {}


def test_the_session_is_absent_until_known() -> None:
    """No expiry is shown where there is none, as with an API key."""
    one = stats(Clock())
    assert samples(one, "packetfabric_session_expiry_timestamp_seconds") == {}
    one.session_expires_at = 1e9
    assert list(samples(one, "packetfabric_session_expiry_timestamp_seconds").values()) == [1e9]


def test_describe_covers_collect() -> None:
    """What is described is what is collected: names, types and helps, each once."""
    collector = ExporterCollector([stats(Clock())])
    described = [(m.name, m.type, m.documentation, m.unit) for m in collector.describe()]
    assert described == [(m.name, m.type, m.documentation, m.unit) for m in collector.collect()]
    assert len({name for name, *_ in described}) == len(described) == len(SELF_METRICS) + 2
