"""Everything on /metrics that is not rendered from the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pf_exporter.metrics.parts import ALL_PARTS, Part, PartCollector, collect_parts


class CollectorGroup(PartCollector):
    """Collectors that a reload replaces, all at the same time."""

    def __init__(self, collectors: Iterable[Collector] = ()) -> None:
        self.collectors = tuple(collectors)

    def collect(self) -> Iterator[Metric]:
        """Yield the families of all collectors."""
        return self.collect_parts(ALL_PARTS)

    def collect_parts(self, parts: Collection[Part]) -> Iterator[Metric]:
        """Yield the families of these parts, in the order of the collectors."""
        return collect_parts(self.collectors, parts)


def build_registry(collectors: Iterable[Collector], *, process_metrics: bool) -> CollectorGroup:
    """Create a group of the collectors and, if wanted, of ``process_*`` and ``python_*``."""
    if not process_metrics:
        return CollectorGroup(collectors)
    process = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=process)
    PlatformCollector(registry=process)
    GCCollector(registry=process)
    return CollectorGroup((*collectors, process))
