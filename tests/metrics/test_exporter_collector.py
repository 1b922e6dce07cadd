"""The exporter's metrics about itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from pf_exporter.config.accounts import Account, StreamFilter
from pf_exporter.config.secrets import Secret
from pf_exporter.metrics.exporter_collector import EXPORTER_METRICS, ExporterCollector
from pf_exporter.schema.activity import LOG_LEVELS
from pf_exporter.schema.events import EVENT_NAMES, EVENTS
from pf_exporter.schema.observation import Observation
from pf_exporter.state.stats import AccountStats, StreamState
from tests.conftest import LogFile

DROPPED = "packetfabric_log_lines_dropped"
LAG = "packetfabric_stream_event_lag_seconds"


def account_stats(account: Account | None = None) -> AccountStats:
    return AccountStats(account or Account(token=Secret("x")), idle_timeout=120.0)


def samples(stats: AccountStats, name: str) -> dict[tuple[str, ...], float]:
    """A family's samples by their name and the values of their labels except the account."""
    for metric in ExporterCollector([stats]).collect():
        if metric.name == name:
            return {
                (sample.name, *(v for k, v in sample.labels.items() if k != "account")): sample.value
                for sample in metric.samples
            }
    raise AssertionError(name)


def test_one_state_at_a_time() -> None:
    """The states are a set of which exactly one is 1."""
    stats = account_stats()
    for state in StreamState:
        stats.state = state
        values = {labels[1]: value for labels, value in samples(stats, "packetfabric_stream_state").items()}
        assert values == {other.value: float(other is state) for other in StreamState}


@pytest.mark.parametrize(("seconds", "bucket"), [(-3600.0, "0.5"), (0.5, "0.5"), (0.6, "1.0"), (9e3, "+Inf")])
def test_lag_is_a_cumulative_histogram(seconds: float, bucket: str) -> None:
    """A lag is counted in its bucket and in all above it; a negative lag counts as 0."""
    stats = account_stats()
    stats.observe_lag(seconds)
    found = samples(stats, LAG)
    counted = [labels[1] for labels, value in found.items() if labels[0] == f"{LAG}_bucket" and value]
    assert counted[0] == bucket
    assert counted[-1] == "+Inf"
    assert found[(f"{LAG}_count",)] == 1
    assert found[(f"{LAG}_sum",)] == pytest.approx(max(seconds, 0))


def test_dropped_log_lines(tmp_path: Path) -> None:
    """Lines that the log drops are counted, here those after it was closed."""
    with LogFile(tmp_path / "log") as log:
        assert samples(account_stats(), DROPPED) == {(f"{DROPPED}_total",): 0}
        log.handler.close()
        log.handler.write("a line")
        assert samples(account_stats(), DROPPED) == {(f"{DROPPED}_total",): 1}


def test_counters_are_present_at_zero() -> None:
    """Every event name and subscribed category is there at the first scrape, so that increase() works."""
    stats = account_stats(
        Account(token=Secret("x"), streams=(StreamFilter("customer", ("auth", "user")), StreamFilter("port")))
    )
    events = samples(stats, "packetfabric_stream_events")
    assert {labels[1] for labels in events} == {*EVENT_NAMES, "other"}
    activity = samples(stats, "packetfabric_activity_events")
    assert {labels[1:] for labels in activity} == {
        (category, level) for category in ("auth", "user") for level in LOG_LEVELS
    }
    assert {*events.values(), *activity.values()} == {0}


def test_session_expiry_is_absent_until_known() -> None:
    """Sessions without an expiry, as with an API key, have no sample."""
    stats = account_stats()
    assert samples(stats, "packetfabric_session_expiry_timestamp_seconds") == {}
    stats.session.expires_at = 1e9
    assert list(samples(stats, "packetfabric_session_expiry_timestamp_seconds").values()) == [1e9]


def test_describe_matches_collect() -> None:
    """describe() and collect() give the same families, each once."""
    collector = ExporterCollector([account_stats()])
    described = [(m.name, m.type, m.documentation, m.unit) for m in collector.describe()]
    assert described == [(m.name, m.type, m.documentation, m.unit) for m in collector.collect()]
    assert len({name for name, *_ in described}) == len(described) == len(EXPORTER_METRICS) + 3


@pytest.mark.parametrize(("bps", "value"), [(8e6, 1.0), (1e6, 0.0)])
def test_rate_unit_confirmed(bps: float, value: float) -> None:
    """It is absent while the unit is unknown, then 1 as assumed or 0 if contradicted."""
    stats = account_stats()
    event = EVENTS["port|metrics"]
    assert samples(stats, "packetfabric_rate_unit_confirmed") == {}
    for number in range(60):
        values = (1e6 * 5 * number, None, bps, None) * 2
        for port in "abc":
            observation = Observation(event, (port,), (), values, 1e9 + 5 * number)
            stats.rate_units.observers["port|metrics"](observation)
    assert samples(stats, "packetfabric_rate_unit_confirmed") == {
        ("packetfabric_rate_unit_confirmed", "port|metrics"): value
    }
