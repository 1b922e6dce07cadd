"""Print the part of CHANGELOG.md about a version: ``python -m tools.release_notes 0.1.0``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"


def release_notes(changelog: str, version: str) -> str:
    """Return the section of a version without its heading; raises ``ValueError`` if there is none."""
    found = re.search(rf"(?ms)^## {re.escape(version)} [^\n]*\n+(.*?)(?=^## |\Z)", changelog)
    if found is None:
        raise ValueError(f"CHANGELOG.md has no section about {version}")
    return found[1].strip() + "\n"


if __name__ == "__main__":
    sys.stdout.write(release_notes(CHANGELOG.read_text(encoding="utf-8"), sys.argv[1]))
