"""The exporter's metrics about itself: streams, events, sessions, lag and build."""

from __future__ import annotations

import itertools
import platform
from collections.abc import Collection, Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from pf_exporter import __version__, build_info
from pf_exporter.log import dropped_lines
from pf_exporter.metrics.metric_family import help_sentence
from pf_exporter.metrics.parts import ALL_PARTS, Part, PartCollector
from pf_exporter.metrics.self_metric import SelfMetric, by_label, collect, describe, unlabelled
from pf_exporter.schema import ACTIVITY, MetricType
from pf_exporter.state import LAG_BUCKETS, AccountStats, StreamState

EXPORTER_METRICS: tuple[SelfMetric[AccountStats], ...] = (
    SelfMetric(
        "packetfabric_up",
        MetricType.GAUGE,
        "Whether an event stream is open and received data within the idle timeout",
        (),
        lambda stats: unlabelled(float(stats.up)),
    ),
    SelfMetric(
        "packetfabric_stream_state",
        MetricType.GAUGE,
        "State of the thread that reads the stream: 1 for the current state, 0 for the others",
        ("state",),
        lambda stats: {(state.value,): float(state is stats.state) for state in StreamState},
    ),
    SelfMetric(
        "packetfabric_stream_connects_total",
        MetricType.COUNTER,
        "Streams opened",
        (),
        lambda stats: unlabelled(stats.connects),
    ),
    SelfMetric(
        "packetfabric_stream_disconnects_total",
        MetricType.COUNTER,
        "Streams that ended and attempts to open one that failed, by reason; 'ended' is an orderly end by the"
        " server, such as the planned one after two hours; 'rotated' is a replacement by the exporter before"
        " that",
        ("reason",),
        lambda stats: by_label(stats.disconnects),
    ),
    SelfMetric(
        "packetfabric_stream_gap_seconds_total",
        MetricType.COUNTER,
        "Time without an open stream",
        (),
        lambda stats: unlabelled(stats.gap_seconds),
    ),
    SelfMetric(
        "packetfabric_stream_bytes_total",
        MetricType.COUNTER,
        "Bytes received on streams, including heartbeats",
        (),
        lambda stats: unlabelled(stats.bytes),
    ),
    SelfMetric(
        "packetfabric_stream_subscribed",
        MetricType.GAUGE,
        "Whether the account subscribes to measurements of ports or of virtual circuits, by type",
        ("type",),
        lambda stats: by_label(stats.measured),
    ),
    SelfMetric(
        "packetfabric_stream_events_total",
        MetricType.COUNTER,
        "Events received, usable or not; 'other' is any event that the API does not document",
        ("event",),
        lambda stats: by_label(stats.events),
    ),
    SelfMetric(
        "packetfabric_stream_events_lost_total",
        MetricType.COUNTER,
        "Events lost, as a lower bound: 'rotated' counts 1 for each stream that was replaced while it had a"
        " backlog",
        ("reason",),
        lambda stats: by_label(stats.events_lost),
    ),
    SelfMetric(
        "packetfabric_stream_events_rejected_total",
        MetricType.COUNTER,
        "Events dropped, by reason",
        ("reason",),
        lambda stats: by_label(stats.rejected),
    ),
    SelfMetric(
        "packetfabric_stream_fields_rejected_total",
        MetricType.COUNTER,
        "Fields dropped because their value is unusable; the rest of the event is kept",
        ("event",),
        lambda stats: by_label(stats.fields_rejected),
    ),
    SelfMetric(
        "packetfabric_stream_unknown_fields_total",
        MetricType.COUNTER,
        "Fields received that the exporter does not support, usually because the API added them",
        ("event",),
        lambda stats: by_label(stats.fields_unknown),
    ),
    SelfMetric(
        "packetfabric_resets_total",
        MetricType.COUNTER,
        "Events in which a cumulative counter was lower than before, as after a router's reboot",
        ("event",),
        lambda stats: by_label(stats.resets),
    ),
    SelfMetric(
        "packetfabric_rate_unit_confirmed",
        MetricType.GAUGE,
        "Whether rates in events have the unit that units.rates declares, compared with the growth of their"
        " totals: 1 as declared, 0 contradicted; absent while unknown",
        ("event",),
        lambda stats: by_label(stats.rate_units.confirmed()),
    ),
    SelfMetric(
        "packetfabric_login_attempts_total",
        MetricType.COUNTER,
        "Attempts to start a session, with a login or an API key",
        (),
        lambda stats: unlabelled(stats.session.login_attempts),
    ),
    SelfMetric(
        "packetfabric_login_failures_total",
        MetricType.COUNTER,
        "Attempts to start a session that failed, by reason",
        ("reason",),
        lambda stats: by_label(stats.session.login_failures),
    ),
    SelfMetric(
        "packetfabric_session_expiry_timestamp_seconds",
        MetricType.GAUGE,
        "When the session expires unless it is renewed; absent with an API key",
        (),
        lambda stats: unlabelled(stats.session.expires_at),
    ),
    SelfMetric(
        "packetfabric_series_dropped_total",
        MetricType.COUNTER,
        "Events dropped because they would exceed the limit of series",
        (),
        lambda stats: unlabelled(stats.series_dropped),
    ),
    SelfMetric(
        "packetfabric_stream_last_event_timestamp_seconds",
        MetricType.GAUGE,
        "When the last usable event was received, by event",
        ("event",),
        lambda stats: by_label(stats.last_event),
    ),
    SelfMetric(
        ACTIVITY.name,
        ACTIVITY.type,
        ACTIVITY.documentation,
        ACTIVITY.labels[1:],
        lambda stats: dict(stats.activity),
    ),
    SelfMetric(
        "packetfabric_activity_catch_up_total",
        MetricType.COUNTER,
        "Entries of the activity log read after gaps of the stream: 'found' were missing and are counted now,"
        " 'streamed' were counted before, 'unmatched' cannot be compared and are left out; 'failed' counts"
        " attempts to read the log",
        ("result",),
        lambda stats: {(result.value,): number for result, number in stats.caught_up.items()},
    ),
)
"""The families read from :class:`AccountStats`, in the order of /metrics."""


def _part(metric: SelfMetric[AccountStats]) -> Part:
    return Part.ACTIVITY if metric.name == ACTIVITY.name else Part.EXPORTER


def _lag_family() -> HistogramMetricFamily:
    help = "Time between an event's timestamp and its arrival; 0 if the network's clock is ahead"
    return HistogramMetricFamily(
        "packetfabric_stream_event_lag_seconds", help_sentence(help), labels=("account",), unit="seconds"
    )


def _dropped_lines_family() -> CounterMetricFamily:
    help = "Log lines dropped because standard error was blocked or could not be written"
    return CounterMetricFamily("packetfabric_log_lines_dropped", help_sentence(help), labels=())


def _build_family() -> GaugeMetricFamily:
    return GaugeMetricFamily(
        "packetfabric_exporter_build_info",
        help_sentence("Version, commit and Python version of the exporter; always 1"),
        labels=("version", "revision", "python_version"),
    )


class ExporterCollector(PartCollector):
    """Collects the families about the exporter itself and of the activity log, for all accounts."""

    def __init__(self, accounts: Iterable[AccountStats], *, revision: str | None = None) -> None:
        self._accounts = tuple(accounts)
        self._revision = build_info.revision() if revision is None else revision

    def describe(self) -> Iterator[Metric]:
        """Yield the families without samples."""
        yield from describe(EXPORTER_METRICS)
        yield _lag_family()
        yield _dropped_lines_family()
        yield _build_family()

    def collect(self) -> Iterator[Metric]:
        """Yield the families with their current samples."""
        return self.collect_parts(ALL_PARTS)

    def collect_parts(self, parts: Collection[Part]) -> Iterator[Metric]:
        """Yield the families of these parts with their current samples."""
        yield from collect((row for row in EXPORTER_METRICS if _part(row) in parts), self._accounts)
        if Part.EXPORTER not in parts:
            return
        lag = _lag_family()
        bounds = (*(str(bound) for bound in LAG_BUCKETS), "+Inf")
        for stats in self._accounts:
            counts = itertools.accumulate(stats.lags)
            lag.add_metric((stats.account,), list(zip(bounds, counts, strict=True)), stats.lag_sum)
        yield lag
        dropped = _dropped_lines_family()
        dropped.add_metric((), dropped_lines())
        yield dropped
        build = _build_family()
        build.add_metric((__version__, self._revision, platform.python_version()), 1)
        yield build
