"""The registry of everything on /metrics that is not rendered from the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


class CollectorGroup(Collector):
    """Collectors that a reload replaces, all at the same time."""

    def __init__(self) -> None:
        self.collectors: tuple[Collector, ...] = ()

    def collect(self) -> Iterator[Metric]:
        """Yield the families of all collectors."""
        for collector in self.collectors:
            yield from collector.collect()


def build_registry(collectors: Iterable[Collector], *, process_metrics: bool) -> CollectorRegistry:
    """Create a registry of the collectors and, if wanted, of ``process_*`` and ``python_*``."""
    registry = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        registry.register(collector)
    if process_metrics:
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
    return registry
