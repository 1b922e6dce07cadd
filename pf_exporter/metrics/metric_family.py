"""Empty metric families of prometheus_client, with type, unit and help."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from pf_exporter.schema import MetricType, unit


def sentence(text: str) -> str:
    """HELP texts are sentences."""
    return text.rstrip(".") + "."


def family(name: str, kind: MetricType, documentation: str, labels: Iterable[str]) -> Metric:
    """An empty family of prometheus_client, of the kind, and with the unit its name ends in."""
    cls = CounterMetricFamily if kind is MetricType.COUNTER else GaugeMetricFamily
    return cls(name, sentence(documentation), labels=tuple(labels), unit=unit(name))
