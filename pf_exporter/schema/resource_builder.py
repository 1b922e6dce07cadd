"""Build a resource from rows of fields and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pf_exporter.schema.family import FamilySpec
from pf_exporter.schema.parsers import (
    Samples,
)
from pf_exporter.schema.resource import FieldMetric, Resource

MetricRow = tuple[str, str, Callable[[object], Samples], str]
"""Field, end of the family's name, reader, help."""


def build_resource(
    noun: str,
    path: str,
    key: str,
    help: str,
    labels: Mapping[str, str],
    rows: tuple[MetricRow, ...],
    **more: str,
) -> Resource:
    """A resource with gauges named ``packetfabric_<noun>_<name>``; ``more`` names their extra labels."""

    def family(name: str, help: str, source: str, *labels: str) -> FamilySpec:
        return FamilySpec(f"packetfabric_{noun}_{name}", "gauge", help, ("account", key, *labels), source)

    measures = [
        FieldMetric(family(name, text, f"{path} {field}", *more.get(name, "").split()), field, read)
        for field, name, read, text in rows
    ]
    return Resource(noun, path, key, family("info", help, path, *labels), labels, tuple(measures))


def same_names(labels: str) -> dict[str, str]:
    """Labels that are named like the field they come from, as a mapping from label to field."""
    return {label: label for label in labels.split()}
