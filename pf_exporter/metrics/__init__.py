"""From state to metric families and the bytes of ``/metrics``.

The only package that imports prometheus_client; changes no state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.registry import Collector

from pf_exporter.lazy import lazy_names
from pf_exporter.metrics.deflate import DeflatedText
from pf_exporter.metrics.exporter_collector import ExporterCollector
from pf_exporter.metrics.exposition import Exposition, Format
from pf_exporter.metrics.inventory_collector import InventoryCollector
from pf_exporter.metrics.parts import WHOLE_PAGE, Part, Selection
from pf_exporter.metrics.recording_collector import RecordingCollector
from pf_exporter.metrics.registry import CollectorGroup, build_registry
from pf_exporter.metrics.reload_status import (
    ReloadStatus,
    config_reload_status,
    web_config_reload_status,
)
from pf_exporter.metrics.remote_storage_collector import RemoteStorageCollector
from pf_exporter.metrics.samples import circuit_samples, collect_samples

if TYPE_CHECKING:
    from pf_exporter.metrics.parser import parse_samples
    from pf_exporter.metrics.sample_text import OPENMETRICS_END, label_text, openmetrics_header
else:  # The exporter itself parses no metrics.
    __getattr__ = lazy_names(
        __name__,
        {
            "sample_text": ("OPENMETRICS_END", "label_text", "openmetrics_header"),
            "parser": ("parse_samples",),
        },
    )

__all__ = [
    "OPENMETRICS_END",
    "WHOLE_PAGE",
    "Collector",
    "CollectorGroup",
    "DeflatedText",
    "ExporterCollector",
    "Exposition",
    "Format",
    "InventoryCollector",
    "Part",
    "RecordingCollector",
    "ReloadStatus",
    "RemoteStorageCollector",
    "Selection",
    "build_registry",
    "circuit_samples",
    "collect_samples",
    "config_reload_status",
    "label_text",
    "openmetrics_header",
    "parse_samples",
    "web_config_reload_status",
]
