"""Rules, dashboards and the mixin, which are part of the wheel."""

from __future__ import annotations

from pf_exporter.assets.files import asset_files
from pf_exporter.assets.writer import Written, write_assets

__all__ = ["Written", "asset_files", "write_assets"]
