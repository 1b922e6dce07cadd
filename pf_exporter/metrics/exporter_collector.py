"""The exporter's metrics about itself, and about how fresh the rest is."""

from __future__ import annotations

import itertools
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from pf_exporter import __version__, build_info
from pf_exporter.metrics.metric_family import family, sentence
from pf_exporter.schema import ACTIVITY, MetricType
from pf_exporter.state import LAG_BUCKETS, STATES, AccountStats, LabelValues


class SelfMetric(NamedTuple):
    """A family about the exporter: what it is called, and where its numbers are."""

    name: str
    kind: MetricType
    help: str
    labels: tuple[str, ...]
    """Besides ``account``."""
    read: Callable[[AccountStats], Mapping[LabelValues, float]]


def _one(value: float | None) -> Mapping[LabelValues, float]:
    return {} if value is None else {(): value}


def _by(values: Mapping[str, float]) -> Mapping[LabelValues, float]:
    return {(label,): value for label, value in list(values.items())}


SELF_METRICS = (
    SelfMetric(
        "packetfabric_up",
        MetricType.GAUGE,
        "Whether an event stream is open and has been heard within the idle timeout",
        (),
        lambda t: _one(float(t.up)),
    ),
    SelfMetric(
        "packetfabric_stream_state",
        MetricType.GAUGE,
        "What the thread that reads the stream does: 1 for the present state",
        ("state",),
        lambda t: {(state,): float(state == t.state) for state in STATES},
    ),
    SelfMetric(
        "packetfabric_stream_connects_total",
        MetricType.COUNTER,
        "Streams opened",
        (),
        lambda t: _one(t.connects),
    ),
    SelfMetric(
        "packetfabric_stream_disconnects_total",
        MetricType.COUNTER,
        "Streams that ended, and attempts to open one that failed, by reason; 'ended' is an orderly end by"
        " the server such as the planned one after two hours, 'rotated' our own renewal before it",
        ("reason",),
        lambda t: _by(t.disconnects),
    ),
    SelfMetric(
        "packetfabric_stream_gap_seconds_total",
        MetricType.COUNTER,
        "Time without an open stream",
        (),
        lambda t: _one(t.gap_seconds),
    ),
    SelfMetric(
        "packetfabric_stream_bytes_total",
        MetricType.COUNTER,
        "Bytes received on streams, heartbeats included",
        (),
        lambda t: _one(t.bytes),
    ),
    SelfMetric(
        "packetfabric_stream_events_total",
        MetricType.COUNTER,
        "Events received, usable or not; 'other' is any event the API does not list",
        ("event",),
        lambda t: _by(t.events),
    ),
    SelfMetric(
        "packetfabric_stream_events_rejected_total",
        MetricType.COUNTER,
        "Events dropped whole, by reason",
        ("reason",),
        lambda t: _by(t.rejected),
    ),
    SelfMetric(
        "packetfabric_stream_fields_rejected_total",
        MetricType.COUNTER,
        "Fields dropped because their value cannot be used, while the rest of their event was kept",
        ("event",),
        lambda t: _by(t.fields_rejected),
    ),
    SelfMetric(
        "packetfabric_stream_unknown_fields_total",
        MetricType.COUNTER,
        "Fields received that this exporter does not know: the API has grown",
        ("event",),
        lambda t: _by(t.fields_unknown),
    ),
    SelfMetric(
        "packetfabric_resets_total",
        MetricType.COUNTER,
        "Events in which a running total was lower than before, as after a router's reboot",
        ("event",),
        lambda t: _by(t.resets),
    ),
    SelfMetric(
        "packetfabric_login_attempts_total",
        MetricType.COUNTER,
        "Sessions asked for, by login or with an API key",
        (),
        lambda t: _one(t.login_attempts),
    ),
    SelfMetric(
        "packetfabric_login_failures_total",
        MetricType.COUNTER,
        "Sessions that could not be had, by reason",
        ("reason",),
        lambda t: _by(t.login_failures),
    ),
    SelfMetric(
        "packetfabric_session_expiry_timestamp_seconds",
        MetricType.GAUGE,
        "When the session ends unless it is renewed; absent with an API key",
        (),
        lambda t: _one(t.session_expires_at),
    ),
    SelfMetric(
        "packetfabric_series_dropped_total",
        MetricType.COUNTER,
        "Observations refused because they would take the exporter above its limit of series",
        (),
        lambda t: _one(t.series_dropped),
    ),
    SelfMetric(
        "packetfabric_stream_last_event_timestamp_seconds",
        MetricType.GAUGE,
        "When the last usable event of each name came",
        ("event",),
        lambda t: _by(t.last_event),
    ),
    SelfMetric(
        ACTIVITY.name, ACTIVITY.type, ACTIVITY.documentation, ACTIVITY.labels[1:], lambda t: dict(t.activity)
    ),
)
"""Every family with an ``account`` label that the threads report, in the order of /metrics."""

LAG = "packetfabric_stream_event_lag_seconds"
LAG_HELP = "Time between an event's own timestamp and its arrival; 0 where the network's clock is ahead"
BUILD = "packetfabric_exporter_build_info"
BUILD_HELP = "What this exporter was built from; always 1"


class ExporterCollector:
    """A collector of prometheus_client over what all accounts report."""

    def __init__(self, accounts: Iterable[AccountStats], *, revision: str | None = None) -> None:
        self._accounts = tuple(accounts)
        self._revision = build_info.revision() if revision is None else revision

    def describe(self) -> Iterator[Metric]:
        """The families without their samples."""
        for own in SELF_METRICS:
            yield family(own.name, own.kind, own.help, ("account", *own.labels))
        yield HistogramMetricFamily(LAG, sentence(LAG_HELP), labels=("account",), unit="seconds")
        yield GaugeMetricFamily(BUILD, sentence(BUILD_HELP), labels=("version", "revision", "python_version"))

    def collect(self) -> Iterator[Metric]:
        """The families as they are now."""
        *owns, lag, build = self.describe()
        for own, metric in zip(SELF_METRICS, owns, strict=True):
            for stats in self._accounts:
                for values, number in own.read(stats).items():
                    metric.add_metric((stats.account, *values), number)  # type: ignore[attr-defined]
            yield metric
        for stats in self._accounts:
            counts = list(itertools.accumulate(stats.lags))
            bounds = (*(str(bound) for bound in LAG_BUCKETS), "+Inf")
            lag.add_metric(  # type: ignore[attr-defined]
                (stats.account,), list(zip(bounds, counts, strict=True)), stats.lag_sum
            )
        yield lag
        version = (__version__, self._revision, platform.python_version())
        build.add_metric(version, 1)  # type: ignore[attr-defined]
        yield build
