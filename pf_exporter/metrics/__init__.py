"""From state to metric families and the bytes of ``/metrics``.

The only package that imports prometheus_client; changes no state.
"""

from __future__ import annotations

from pf_exporter.metrics.exporter_collector import ExporterCollector
from pf_exporter.metrics.exposition import Exposition, Format
from pf_exporter.metrics.inventory_collector import InventoryCollector
from pf_exporter.metrics.registry import CollectorGroup, build_registry
from pf_exporter.metrics.reload_status import (
    ReloadStatus,
    config_reload_status,
    web_config_reload_status,
)

__all__ = [
    "CollectorGroup",
    "ExporterCollector",
    "Exposition",
    "Format",
    "InventoryCollector",
    "ReloadStatus",
    "build_registry",
    "config_reload_status",
    "web_config_reload_status",
]
