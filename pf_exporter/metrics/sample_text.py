"""The text of single families and samples, for files and imports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector

from pf_exporter.metrics.metric_family import family_from_spec
from pf_exporter.metrics.sample_lines import LabelFormatter
from pf_exporter.schema import FamilySpec

OPENMETRICS_END = "# EOF\n"
"""The last line of a page or file in OpenMetrics."""


class _SingleFamily(Collector):
    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterator[Metric]:
        yield self._family


def openmetrics_header(spec: FamilySpec) -> str:
    """Return the HELP, TYPE and UNIT lines of a family in OpenMetrics."""
    text: str = generate_latest(_SingleFamily(family_from_spec(spec))).decode()  # type: ignore[no-untyped-call]
    return text.removesuffix(OPENMETRICS_END)


def label_text(labels: Mapping[str, str]) -> str:
    """Return labels as ``{account="a",port_circuit_id="p"}``, sorted by name."""
    return LabelFormatter(tuple(labels))(tuple(labels.values()))
