"""The registry of everything that is not rendered from the store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pf_exporter.metrics.registry import CollectorGroup, build_registry


class OneGauge(Collector):
    """A collector of one gauge."""

    def __init__(self, name: str) -> None:
        self._name = name

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(self._name, "Help.", value=1)


def names(registry: Collector) -> list[str]:
    return [family.name for family in registry.collect()]


def test_collectors_keep_their_order() -> None:
    """Families are in the order of the collectors, without process metrics."""
    registry = build_registry([OneGauge("b"), OneGauge("a")], process_metrics=False)
    assert names(registry) == ["b", "a"]


@pytest.mark.parametrize("family", ["process_cpu_seconds", "python_info", "python_gc_objects_collected"])
def test_process_metrics(family: str) -> None:
    """process_* and python_* follow the collectors, if wanted."""
    registry = build_registry([OneGauge("a")], process_metrics=True)
    assert names(registry)[0] == "a"
    assert family in names(registry)


def test_a_group_is_replaced_as_a_whole() -> None:
    """A registry reads the collectors that the group has at the time of the scrape."""
    group = CollectorGroup()
    registry = build_registry([group], process_metrics=False)
    assert generate_latest(registry) == b""
    group.collectors = (OneGauge("a"), OneGauge("b"))
    assert names(registry) == ["a", "b"]
    group.collectors = (OneGauge("c"),)
    assert names(registry) == ["c"]
