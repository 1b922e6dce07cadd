"""Names in a PromQL expression, checked against the metrics and labels that exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import promql_parser

from pf_exporter.metrics.exporter_collector import ExporterCollector
from pf_exporter.metrics.inventory_collector import InventoryCollector
from pf_exporter.metrics.metric_family import exposed_name, label_names
from pf_exporter.metrics.recording_collector import RecordingCollector
from pf_exporter.metrics.reload_status import config_reload_status, web_config_reload_status
from pf_exporter.metrics.remote_storage_collector import RemoteStorageCollector
from pf_exporter.metrics.stream_families import describe_stream_families
from pf_exporter.state.store import Store
from tests.yaml_loader import load_yaml

PROMETHEUS = Path(__file__).parents[2] / "prometheus"

TARGET = frozenset({"job", "instance", "cluster", "namespace", "pod", "node"})
"""Labels that Prometheus and the Prometheus operator add to each target, and those of ``_config``."""

# Metrics of Prometheus about a target, and of prometheus_client about the process.
_OTHERS = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "process_start_time_seconds",
)


def rules(file: str) -> Iterator[Mapping[str, object]]:
    """Yield the rules in a file of prometheus/, in order."""
    for group in load_yaml((PROMETHEUS / file).read_text(encoding="utf-8"))["groups"]:
        yield from group["rules"]


def _catalogue() -> dict[str, frozenset[str]]:
    store = Store(ttl=1, limit=1)
    labels_of = dict.fromkeys(_OTHERS, TARGET)
    for metric in (
        *describe_stream_families(),
        *InventoryCollector([], store).describe(),
        *ExporterCollector([]).describe(),
        *config_reload_status().describe(),
        *web_config_reload_status().describe(),
        *RecordingCollector(None).describe(),
        *RemoteStorageCollector(()).describe(),
    ):
        labels = TARGET.union(label_names(metric))
        if metric.type == "histogram":
            labels_of[metric.name + "_bucket"] = labels | {"le"}
            labels_of |= {metric.name + "_sum": labels, metric.name + "_count": labels}
        else:
            labels_of[exposed_name(metric)] = labels
    return labels_of


_ALERT = TARGET | {"account", "alertname", "severity", "port_circuit_id", "vc_circuit_id", "cloud_circuit_id"}
METRICS = _catalogue() | {"ALERTS": _ALERT | {"alertstate"}, "ALERTS_FOR_STATE": _ALERT}
"""The labels of every metric after a scrape."""

# The labels of metrics, and those that expressions add.
_ADDED = "direction kind name way circuits a z from to source target"
LABELS = frozenset(_ADDED.split()).union(*METRICS.values())
RECORDED = dict.fromkeys((str(rule["record"]) for rule in rules("rules.yml")), LABELS)


def unknown_names(expression: str) -> list[str]:
    """Return the metrics and labels that do not exist; raises ``ValueError`` if it is not valid PromQL."""
    unknown: list[str] = []
    labels_of = METRICS | RECORDED

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            if node.name not in labels_of:
                unknown.append(f"metric {node.name}")
                return
            named = {matcher.name for matcher in node.matchers.matchers}
            unknown.extend(f"label {label} of {node.name}" for label in named - labels_of[node.name])
        elif isinstance(node, promql_parser.AggregateExpr) and node.modifier:
            unknown.extend(f"label {label}" for label in set(node.modifier.labels) - LABELS)
        elif isinstance(node, promql_parser.BinaryExpr) and node.modifier:
            matching = node.modifier.matching
            named = {*(matching.labels if matching else ()), *(node.modifier.group_labels or ())}
            unknown.extend(f"label {label}" for label in named - LABELS)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return unknown
