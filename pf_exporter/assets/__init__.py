"""Recording rules, alerts, dashboards and the mixin, which are part of the wheel."""

from __future__ import annotations

from pf_exporter.assets.files import asset_files
from pf_exporter.assets.writer import Outcome, write_assets

__all__ = ["Outcome", "asset_files", "write_assets"]
