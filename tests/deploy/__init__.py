"""The files in deploy/, checked by the programs that read them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.yaml_loader import load_yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def read(path: Path) -> Any:
    """Return the content of a YAML file with one document."""
    return load_yaml(path.read_text(encoding="utf-8"))


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language in deploy/README.md."""
    text = (DEPLOY / "README.md").read_text(encoding="utf-8")
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", text)
