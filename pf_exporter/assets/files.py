"""Where the rules, the dashboards and the mixin are: in the installed package, or in a clone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pf_exporter.errors import ConfigError

INSTALLED = Path(__file__).with_name("data")
"""The folder that setup.py adds to the wheel."""
CLONE = Path(__file__).parents[2]
PATTERNS = (
    "jsonnetfile.json",
    "mixin.libsonnet",
    "grafana/mixin.libsonnet",
    "grafana/dashboards/*.json",
    "prometheus/rules.yml",
    "prometheus/alerts.yml",
    "prometheus/**/*.libsonnet",
)


def asset_files(folder: Path | None = None) -> Mapping[str, Path]:
    """Return each file by its path below the target folder, where files keep their places in the project.

    The mixin imports its parts by relative paths.
    """
    if folder is None:
        folder = INSTALLED if INSTALLED.is_dir() else CLONE
    found = (path for pattern in PATTERNS for path in sorted(folder.glob(pattern)))
    files = {path.relative_to(folder).as_posix(): path for path in found}
    if not files:
        raise ConfigError([f"{folder} contains no rules and dashboards: install the exporter from its wheel"])
    return files
