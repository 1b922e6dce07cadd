"""The exporter's metrics about itself, and about how fresh the rest is."""

from __future__ import annotations

import bisect
import itertools
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from pf_exporter import __version__
from pf_exporter.errors import ApiError, EventError, StreamError, reasons
from pf_exporter.events import OTHER
from pf_exporter.families import ACTIVITY, CATEGORIES, EVENT_NAMES, EVENTS, LOG_LEVELS, Kind, unit
from pf_exporter.judgement import Judge
from pf_exporter.novelties import Novelties
from pf_exporter.settings import Account
from pf_exporter.store import Written

STATES = ("connecting", "streaming", "backoff", "stopped")
ROTATED, STOPPED = "rotated", "stopped"
DISCONNECT_REASONS = (*reasons(StreamError, ApiError), ROTATED, STOPPED)
DROPPED = {Written.DUPLICATE: "duplicate", Written.OUT_OF_ORDER: "out_of_order"}
REJECT_REASONS = (*reasons(EventError), *DROPPED.values())
LAG_BUCKETS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)

LabelValues = tuple[str, ...]


class AccountTelemetry:
    """What one account's threads report: plain numbers, because the stream's thread adds to them per event.

    Each number has one writer at a time; any thread may read.
    """

    def __init__(
        self,
        account: Account,
        *,
        idle_timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.account = account.name
        self._idle_timeout = idle_timeout
        self.clock = clock
        self.state = "connecting"
        self.heard = float("-inf")
        """When the last byte came, by the monotonic clock."""
        self._gap = 0.0
        self._gap_since: float | None = clock()
        self.connects = 0
        self.disconnects = dict.fromkeys(DISCONNECT_REASONS, 0)
        self.bytes = 0
        self.events = dict.fromkeys((*EVENT_NAMES, OTHER), 0)
        self.rejected = dict.fromkeys(REJECT_REASONS, 0)
        self.fields_rejected = dict.fromkeys((*EVENT_NAMES, OTHER), 0)
        self.fields_unknown = dict.fromkeys((*EVENT_NAMES, OTHER), 0)
        self.novelties = Novelties()
        self.judge = Judge()
        self.resets = dict.fromkeys(EVENTS, 0)
        self.login_attempts = 0
        self.login_failures = dict.fromkeys(reasons(ApiError), 0)
        self.session_expires_at: float | None = None
        self.series_dropped = 0
        self.last_event: dict[str, float] = {}
        """UNIX seconds at which the last usable event of a name came."""
        self.lags = [0] * (len(LAG_BUCKETS) + 1)
        self.lag_sum = 0.0
        subscribed = {
            category
            for stream in account.streams
            if stream.type == "customer"
            for category in stream.events or CATEGORIES
        }
        self.activity: dict[LabelValues, int] = dict.fromkeys(
            itertools.product(sorted(subscribed), LOG_LEVELS), 0
        )

    def opened(self, at: float | None = None) -> None:
        """A stream is open, since ``at`` by the monotonic clock or just now; it is yet to be heard."""
        self.connects += 1
        self.heard = float("-inf")
        self.state = "streaming"
        if self._gap_since is not None:
            self._gap += max((self.clock() if at is None else at) - self._gap_since, 0.0)
            self._gap_since = None

    def renewed(self) -> None:
        """A stream that was to end has been replaced by one that is open already."""
        self.connects += 1
        self.disconnects[ROTATED] += 1

    def lost(self, reason: str, state: str, since: float | None = None) -> None:
        """No stream is open, because of ``reason``; what the thread does now is ``state``.

        ``since`` is when it was heard last, where the stream was dead before that was known.
        """
        self.disconnects[reason] += 1
        self.state = state
        if self._gap_since is None:
            self._gap_since = self.clock() if since is None else since

    def lag(self, seconds: float) -> None:
        """An event came so long after it was sampled; negative where the network's clock is ahead."""
        if seconds < 0:
            seconds = 0.0
        self.lags[bisect.bisect_left(LAG_BUCKETS, seconds)] += 1
        self.lag_sum += seconds

    @property
    def up(self) -> bool:
        """Whether a stream is open and has been heard lately."""
        return self.state == "streaming" and self.clock() - self.heard <= self._idle_timeout

    @property
    def gap_seconds(self) -> float:
        """Seconds without an open stream, the present gap included."""
        since = self._gap_since
        return self._gap + (self.clock() - since if since is not None else 0.0)


class Own(NamedTuple):
    """A family about the exporter: what it is called, and where its numbers are."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    """Besides ``account``."""
    read: Callable[[AccountTelemetry], Mapping[LabelValues, float]]


def _one(value: float | None) -> Mapping[LabelValues, float]:
    return {} if value is None else {(): value}


def _by(values: Mapping[str, float]) -> Mapping[LabelValues, float]:
    return {(label,): value for label, value in list(values.items())}


OWN = (
    Own(
        "packetfabric_up",
        "gauge",
        "Whether an event stream is open and has been heard within the idle timeout",
        (),
        lambda t: _one(float(t.up)),
    ),
    Own(
        "packetfabric_stream_state",
        "gauge",
        "What the thread that reads the stream does: 1 for the present state",
        ("state",),
        lambda t: {(state,): float(state == t.state) for state in STATES},
    ),
    Own(
        "packetfabric_stream_connects_total",
        "counter",
        "Streams opened",
        (),
        lambda t: _one(t.connects),
    ),
    Own(
        "packetfabric_stream_disconnects_total",
        "counter",
        "Streams that ended, and attempts to open one that failed, by reason; 'ended' is an orderly end by"
        " the server such as the planned one after two hours, 'rotated' our own renewal before it",
        ("reason",),
        lambda t: _by(t.disconnects),
    ),
    Own(
        "packetfabric_stream_gap_seconds_total",
        "counter",
        "Time without an open stream",
        (),
        lambda t: _one(t.gap_seconds),
    ),
    Own(
        "packetfabric_stream_bytes_total",
        "counter",
        "Bytes received on streams, heartbeats included",
        (),
        lambda t: _one(t.bytes),
    ),
    Own(
        "packetfabric_stream_events_total",
        "counter",
        "Events received, usable or not; 'other' is any event the API does not list",
        ("event",),
        lambda t: _by(t.events),
    ),
    Own(
        "packetfabric_stream_events_rejected_total",
        "counter",
        "Events dropped whole, by reason",
        ("reason",),
        lambda t: _by(t.rejected),
    ),
    Own(
        "packetfabric_stream_fields_rejected_total",
        "counter",
        "Fields dropped because their value cannot be used, while the rest of their event was kept",
        ("event",),
        lambda t: _by(t.fields_rejected),
    ),
    Own(
        "packetfabric_stream_unknown_fields_total",
        "counter",
        "Fields received that this exporter does not know: the API has grown",
        ("event",),
        lambda t: _by(t.fields_unknown),
    ),
    Own(
        "packetfabric_resets_total",
        "counter",
        "Events in which a running total was lower than before, as after a router's reboot",
        ("event",),
        lambda t: _by(t.resets),
    ),
    Own(
        "packetfabric_login_attempts_total",
        "counter",
        "Sessions asked for, by login or with an API key",
        (),
        lambda t: _one(t.login_attempts),
    ),
    Own(
        "packetfabric_login_failures_total",
        "counter",
        "Sessions that could not be had, by reason",
        ("reason",),
        lambda t: _by(t.login_failures),
    ),
    Own(
        "packetfabric_session_expiry_timestamp_seconds",
        "gauge",
        "When the session ends unless it is renewed; absent with an API key",
        (),
        lambda t: _one(t.session_expires_at),
    ),
    Own(
        "packetfabric_series_dropped_total",
        "counter",
        "Observations refused because they would take the exporter above its limit of series",
        (),
        lambda t: _one(t.series_dropped),
    ),
    Own(
        "packetfabric_stream_last_event_timestamp_seconds",
        "gauge",
        "When the last usable event of each name came",
        ("event",),
        lambda t: _by(t.last_event),
    ),
    Own(
        ACTIVITY.name, ACTIVITY.kind, ACTIVITY.documentation, ACTIVITY.labels[1:], lambda t: dict(t.activity)
    ),
)
"""Every family with an ``account`` label that the threads report, in the order of /metrics."""

LAG = "packetfabric_stream_event_lag_seconds"
LAG_HELP = "Time between an event's own timestamp and its arrival; 0 where the network's clock is ahead"
BUILD = "packetfabric_exporter_build_info"
BUILD_HELP = "What this exporter was built from; always 1"


def sentence(text: str) -> str:
    """HELP texts are sentences."""
    return text.rstrip(".") + "."


def family(name: str, kind: Kind, documentation: str, labels: Iterable[str]) -> Metric:
    """An empty family of prometheus_client, of the kind, and with the unit its name ends in."""
    cls = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
    return cls(name, sentence(documentation), labels=tuple(labels), unit=unit(name))


def built_from() -> str:
    """The commit this was built from, as an image knows it; empty elsewhere."""
    return os.environ.get("PF_EXPORTER_REVISION", "")


class Telemetry:
    """A collector of prometheus_client over what all accounts report."""

    def __init__(self, accounts: Iterable[AccountTelemetry], *, revision: str | None = None) -> None:
        self._accounts = tuple(accounts)
        self._revision = built_from() if revision is None else revision

    def describe(self) -> Iterator[Metric]:
        """The families without their samples."""
        for own in OWN:
            yield family(own.name, own.kind, own.help, ("account", *own.labels))
        yield HistogramMetricFamily(LAG, sentence(LAG_HELP), labels=("account",), unit="seconds")
        yield GaugeMetricFamily(BUILD, sentence(BUILD_HELP), labels=("version", "revision", "python_version"))

    def collect(self) -> Iterator[Metric]:
        """The families as they are now."""
        *owns, lag, build = self.describe()
        for own, metric in zip(OWN, owns, strict=True):
            for telemetry in self._accounts:
                for values, number in own.read(telemetry).items():
                    metric.add_metric((telemetry.account, *values), number)  # type: ignore[attr-defined]
            yield metric
        for telemetry in self._accounts:
            counts = list(itertools.accumulate(telemetry.lags))
            bounds = (*(str(bound) for bound in LAG_BUCKETS), "+Inf")
            lag.add_metric(  # type: ignore[attr-defined]
                (telemetry.account,), list(zip(bounds, counts, strict=True)), telemetry.lag_sum
            )
        yield lag
        version = (__version__, self._revision, platform.python_version())
        build.add_metric(version, 1)  # type: ignore[attr-defined]
        yield build
