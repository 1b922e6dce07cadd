"""What a PromQL expression names, and whether there is such a thing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import promql_parser
import yaml

from pf_exporter.metrics.exporter_collector import ExporterCollector
from pf_exporter.metrics.inventory_collector import InventoryCollector
from pf_exporter.metrics.metric_family import exposed_name, label_names
from pf_exporter.metrics.stream_families import describe_stream_families
from pf_exporter.state.store import Store

PROMETHEUS = Path(__file__).parents[2] / "prometheus"

TARGET = frozenset({"job", "instance"})
"""Labels that Prometheus adds."""

# What Prometheus itself says of a target, and prometheus_client of a process.
_OTHERS = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "process_start_time_seconds",
)


def rules(file: str) -> Iterator[Mapping[str, object]]:
    """The rules in a file of ours, in their order."""
    for group in yaml.safe_load((PROMETHEUS / file).read_text(encoding="utf-8"))["groups"]:
        yield from group["rules"]


def _catalogue() -> dict[str, frozenset[str]]:
    store = Store(ttl=1, limit=1)
    known = dict.fromkeys(_OTHERS, TARGET)
    for metric in (
        *describe_stream_families(),
        *InventoryCollector([], store).describe(),
        *ExporterCollector([]).describe(),
    ):
        labels = TARGET.union(label_names(metric))
        if metric.type == "histogram":
            known[metric.name + "_bucket"] = labels | {"le"}
            known |= {metric.name + "_sum": labels, metric.name + "_count": labels}
        else:
            known[exposed_name(metric)] = labels
    return known


METRICS = _catalogue() | {"ALERTS": TARGET | {"alertname", "alertstate"}}
"""Every metric of the exporter, and the labels it has once it is scraped."""

# Besides those of metrics, the ones our expressions make.
LABELS = frozenset({"direction", "kind", "name"}).union(*METRICS.values())
RECORDED = dict.fromkeys((str(rule["record"]) for rule in rules("rules.yml")), LABELS)


def faults(expression: str) -> list[str]:
    """What an expression names that does not exist; raises ``ValueError`` for what is no PromQL."""
    found: list[str] = []
    known = METRICS | RECORDED

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            if node.name not in known:
                found.append(f"metric {node.name}")
                return
            named = {matcher.name for matcher in node.matchers.matchers}
            found.extend(f"label {label} of {node.name}" for label in named - known[node.name])
        elif isinstance(node, promql_parser.AggregateExpr) and node.modifier:
            found.extend(f"label {label}" for label in set(node.modifier.labels) - LABELS)
        elif isinstance(node, promql_parser.BinaryExpr) and node.modifier:
            matching = node.modifier.matching
            named = {*(matching.labels if matching else ()), *(node.modifier.group_labels or ())}
            found.extend(f"label {label}" for label in named - LABELS)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found
