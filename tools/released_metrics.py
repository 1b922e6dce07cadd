"""Write the names, types and labels of all metrics: ``python -m tools.released_metrics``, at each release.

The file is the promise to users of the last release: tests/release/test_metric_names.py compares it with the
code.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pf_exporter.metrics.exporter_collector import ExporterCollector
from pf_exporter.metrics.inventory_collector import InventoryCollector
from pf_exporter.metrics.metric_family import exposed_name, label_names
from pf_exporter.metrics.recording_collector import RecordingCollector
from pf_exporter.metrics.reload_status import config_reload_status, web_config_reload_status
from pf_exporter.metrics.remote_storage_collector import RemoteStorageCollector
from pf_exporter.metrics.stream_families import describe_stream_families
from pf_exporter.state.store import Store

FILE = Path(__file__).parents[1] / "tests" / "fixtures" / "released-metrics.csv"


class ExposedMetric(NamedTuple):
    """What a query or an alert rule depends on."""

    name: str
    type: str
    labels: str
    """Sorted, separated by spaces."""


def current_metrics() -> list[ExposedMetric]:
    """Return every family that /metrics can show, except those of prometheus_client, sorted by name."""
    families = (
        *describe_stream_families(),
        *InventoryCollector([], Store(ttl=1, limit=1)).describe(),
        *ExporterCollector([]).describe(),
        *config_reload_status().describe(),
        *web_config_reload_status().describe(),
        *RecordingCollector(None).describe(),
        *RemoteStorageCollector(()).describe(),
    )
    return sorted(
        ExposedMetric(exposed_name(family), family.type, " ".join(sorted(label_names(family))))
        for family in families
    )


def released_metrics() -> list[ExposedMetric]:
    """Return the families of the last release."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return [ExposedMetric(**row) for row in csv.DictReader(file)]


def unannounced_changes(
    before: list[ExposedMetric], after: list[ExposedMetric], changelog: str
) -> Iterator[str]:
    """Yield each removed or changed metric whose name the newest part of the changelog does not have."""
    newest = changelog.split("\n## ")[1]
    present = {metric.name: metric for metric in after}
    for metric in before:
        now = present.get(metric.name)
        if now != metric and not re.search(rf"`{metric.name}`", newest):
            yield f"{metric.name}: was {metric.type} ({metric.labels}), " + (
                f"is {now.type} ({now.labels})" if now is not None else "is gone"
            )


def main() -> None:
    """Write the file."""
    with FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(ExposedMetric._fields)
        writer.writerows(current_metrics())


if __name__ == "__main__":
    main()
