"""The metrics about the recording of the streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pf_exporter.metrics.metric_family import empty_family
from pf_exporter.schema import MetricType

if TYPE_CHECKING:
    from pf_exporter.recording import RecordingStats


class _RecordingMetric(NamedTuple):
    name: str
    type: MetricType
    help: str
    read: Callable[[RecordingStats], float | None]


_METRICS = (
    _RecordingMetric(
        "packetfabric_recording_frames_total",
        MetricType.COUNTER,
        "Frames of streams written to the recording",
        lambda stats: stats.frames,
    ),
    _RecordingMetric(
        "packetfabric_recording_bytes_total",
        MetricType.COUNTER,
        "Bytes written to the recording, before compression",
        lambda stats: stats.bytes,
    ),
    _RecordingMetric(
        "packetfabric_recording_failures_total",
        MetricType.COUNTER,
        "Frames and marks that could not be recorded, and failed compressions of rotated files",
        lambda stats: stats.lost + stats.failed_compressions,
    ),
    _RecordingMetric(
        "packetfabric_recording_last_success_timestamp_seconds",
        MetricType.GAUGE,
        "When a frame or mark was last written to the recording; absent before the first",
        lambda stats: stats.last_success_at,
    ),
)


class RecordingCollector(Collector):
    """Collects the families about the recording; there are none without ``stats``, if nothing is recorded."""

    def __init__(self, stats: RecordingStats | None) -> None:
        self._stats = stats

    def describe(self) -> Iterator[Metric]:
        """Yield the families without samples, also if nothing is recorded."""
        for metric in _METRICS:
            yield empty_family(metric.name, metric.type, metric.help, ())

    def collect(self) -> Iterator[Metric]:
        """Yield the families with their current samples."""
        if self._stats is None:
            return
        for metric in _METRICS:
            family = empty_family(metric.name, metric.type, metric.help, ())
            value = metric.read(self._stats)
            if value is not None:
                family.add_metric((), value)
            yield family
