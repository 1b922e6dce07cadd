"""From state to metric families and the bytes of ``/metrics``.

The only package that imports prometheus_client.
"""

from __future__ import annotations

from pf_exporter.metrics.exporter_collector import ExporterCollector
from pf_exporter.metrics.exposition import Exposition, Format
from pf_exporter.metrics.inventory_collector import InventoryCollector
from pf_exporter.metrics.reload_status import ReloadStatus, of_config, of_web_config

__all__ = [
    "ExporterCollector",
    "Exposition",
    "Format",
    "InventoryCollector",
    "ReloadStatus",
    "of_config",
    "of_web_config",
]
