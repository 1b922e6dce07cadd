"""The metrics about remote write, named as Prometheus names its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pf_exporter.metrics.metric_family import Family, empty_family
from pf_exporter.metrics.self_metric import by_label, unlabelled
from pf_exporter.schema import MetricType
from pf_exporter.state import LabelValues


class SendStats(Protocol):
    """The counters of :class:`~pf_exporter.remote_write.Endpoint` that are read."""

    samples: int
    failed: dict[str, int]
    dropped: dict[str, int]
    bytes: int
    highest_sent: float | None


class RemoteEndpoint(Protocol):
    """The part of :class:`~pf_exporter.remote_write.Endpoint` that is read."""

    @property
    def name(self) -> str:
        """The value of the label ``endpoint``."""

    @property
    def stats(self) -> SendStats:
        """The counters."""

    @property
    def pending(self) -> int:
        """Samples that wait or are being sent."""

    @property
    def spool_bytes(self) -> int | None:
        """Bytes on disk; None without a spool."""


class _EndpointMetric(NamedTuple):
    name: str
    type: MetricType
    help: str
    labels: tuple[str, ...]
    """Without ``endpoint``."""
    read: Callable[[RemoteEndpoint], Mapping[LabelValues, float]]

    def family(self) -> Family:
        return empty_family(self.name, self.type, self.help, ("endpoint", *self.labels))


_METRICS = (
    _EndpointMetric(
        "packetfabric_remote_storage_samples_total",
        MetricType.COUNTER,
        "Samples that the receiver accepted",
        (),
        lambda endpoint: unlabelled(endpoint.stats.samples),
    ),
    _EndpointMetric(
        "packetfabric_remote_storage_samples_failed_total",
        MetricType.COUNTER,
        "Samples that the receiver rejected, by reason",
        ("reason",),
        lambda endpoint: by_label(endpoint.stats.failed),
    ),
    _EndpointMetric(
        "packetfabric_remote_storage_samples_dropped_total",
        MetricType.COUNTER,
        "Samples dropped before the receiver accepted them, by reason",
        ("reason",),
        lambda endpoint: by_label(endpoint.stats.dropped),
    ),
    _EndpointMetric(
        "packetfabric_remote_storage_samples_pending",
        MetricType.GAUGE,
        "Samples that wait in memory or in the spool, or are being sent",
        (),
        lambda endpoint: unlabelled(endpoint.pending),
    ),
    _EndpointMetric(
        "packetfabric_remote_storage_bytes_total",
        MetricType.COUNTER,
        "Compressed bytes of the requests that the receiver accepted",
        (),
        lambda endpoint: unlabelled(endpoint.stats.bytes),
    ),
    _EndpointMetric(
        "packetfabric_remote_storage_highest_sent_timestamp_seconds",
        MetricType.GAUGE,
        "Newest timestamp of a sample that the receiver accepted; absent before the first",
        (),
        lambda endpoint: unlabelled(endpoint.stats.highest_sent),
    ),
    _EndpointMetric(
        "packetfabric_remote_storage_spool_bytes",
        MetricType.GAUGE,
        "Bytes in the spool that wait to be sent; absent without a spool",
        (),
        lambda endpoint: unlabelled(endpoint.spool_bytes),
    ),
)


class RemoteStorageCollector(Collector):
    """Collects the families about remote write; there are none without ``endpoints``."""

    def __init__(self, endpoints: Iterable[RemoteEndpoint]) -> None:
        self._endpoints = tuple(endpoints)

    def describe(self) -> Iterator[Metric]:
        """Yield the families without samples, also if nothing is sent."""
        for metric in _METRICS:
            yield metric.family()

    def collect(self) -> Iterator[Metric]:
        """Yield the families with their current samples."""
        if not self._endpoints:
            return
        for metric in _METRICS:
            family = metric.family()
            for endpoint in self._endpoints:
                for labels, value in metric.read(endpoint).items():
                    family.add_metric((endpoint.name, *labels), value)
            yield family
