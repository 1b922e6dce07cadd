"""What runs the tests elsewhere: the workflow and noxfile.py."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import tool

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
JOBS: dict[str, Any] = yaml.safe_load(TEXT)["jobs"]
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]


def steps() -> Iterator[dict[str, Any]]:
    for job in JOBS.values():
        yield from job["steps"]


def test_every_python() -> None:
    """The workflow tests each Python that nox does, the oldest being the one setup.cfg asks for."""
    assert JOBS["test"]["strategy"]["matrix"]["python"] == PYTHONS
    listed = subprocess.run(
        [Path(sys.executable).with_name("nox"), "--list", "--json", "--noxfile", ROOT / "noxfile.py"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert [session["python"] for session in json.loads(listed.stdout)] == PYTHONS
    assert f"python_requires = >={PYTHONS[0]}\n" in (ROOT / "setup.cfg").read_text(encoding="utf-8")


def test_actions_are_pinned() -> None:
    """Each action is named by its commit, which nobody can move, with its version beside it."""
    used = re.findall(r"uses: (.*)", TEXT)
    assert len(used) == len([step for step in steps() if "uses" in step])
    assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", one)] == []


def test_make_targets_exist() -> None:
    """The workflow runs what .ci/run does and makes a release, by targets that make knows how to make."""
    targets = [target for step in steps() for target in re.findall(r"\bmake ([a-z]+)", step.get("run", ""))]
    gate = re.findall(r"(?m)^make ([a-z]+)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert {*gate, "dist"} <= set(targets)
    for target in targets:
        subprocess.run(
            [tool("make"), "--dry-run", target], cwd=ROOT, check=True, capture_output=True, timeout=60
        )


def test_nothing_is_allowed_to_fail() -> None:
    """No step is forgiven, and the workflow may only read."""
    assert "continue-on-error" not in TEXT
    assert "|| true" not in TEXT
    assert yaml.safe_load(TEXT)["permissions"] == {"contents": "read"}
