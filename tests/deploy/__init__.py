"""The files that deploy the exporter, judged by what reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def read(path: Path) -> Any:
    """A YAML file with one document."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))
