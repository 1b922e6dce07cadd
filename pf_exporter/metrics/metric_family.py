"""Empty metric families of prometheus_client, with type, unit and help."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from pf_exporter.schema import FamilySpec, MetricType, unit

Family = CounterMetricFamily | GaugeMetricFamily


def help_sentence(text: str) -> str:
    """Return the text with a full stop at its end."""
    return text.rstrip(".") + "."


def empty_family(name: str, type: MetricType, help: str, labels: Iterable[str]) -> Family:
    """Create a family without samples; its unit is the one that its name ends in."""
    cls = CounterMetricFamily if type is MetricType.COUNTER else GaugeMetricFamily
    return cls(name, help_sentence(help), labels=tuple(labels), unit=unit(name))


def family_from_spec(spec: FamilySpec, extra_labels: Iterable[str] = ()) -> Family:
    """Create a family of the schema without samples."""
    return empty_family(spec.name, spec.type, spec.documentation, (*spec.labels, *extra_labels))


def label_names(family: Metric) -> tuple[str, ...]:
    """Return the names of a family's labels, known before there are samples."""
    return tuple(family._labelnames)  # type: ignore[attr-defined]  # noqa: SLF001  # there is no public name


def exposed_name(family: Metric) -> str:
    """Return a family's name as on ``/metrics``; a counter's attribute ``name`` lacks ``_total``."""
    return f"{family.name}_total" if family.type == "counter" else family.name
