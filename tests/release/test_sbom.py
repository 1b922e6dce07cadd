"""The bill of materials that `make dist` lays beside a release."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.conftest import tool

ROOT = Path(__file__).parents[2]


def test_it_lists_what_is_locked(tmp_path: Path) -> None:
    """Made as `make dist` makes it, it is CycloneDX and lists each locked version with its hashes."""
    recipe = subprocess.run(
        [tool("make"), "--dry-run", "dist"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    line = next(line for line in recipe.stdout.splitlines() if "cyclonedx-py" in line)
    program, *arguments = shlex.split(line)
    (place,) = [word for word in arguments if word.endswith("sbom.cdx.json")]
    made = tmp_path / "sbom.cdx.json"
    arguments[arguments.index(place)] = str(made)
    subprocess.run([Path(sys.executable).with_name(Path(program).name), *arguments], cwd=ROOT, check=True)
    bill = json.loads(made.read_bytes())
    assert bill["bomFormat"] == "CycloneDX"
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    locked = re.findall(r"(?m)^([\w.-]+)==([\w.]+)", lock)
    assert len(locked) > 10
    assert sorted((part["name"], part["version"]) for part in bill["components"]) == sorted(locked)
    assert all(part["externalReferences"][0]["hashes"] for part in bill["components"])
