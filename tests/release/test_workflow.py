"""The CI workflow and noxfile.py."""

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
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
"""The supported versions, oldest first."""
NODE_24 = {"actions/checkout": 5, "actions/setup-python": 6, "actions/upload-artifact": 6}
"""The first major version of each action that runs on Node 24; older versions are no longer supported."""


def steps() -> Iterator[dict[str, Any]]:
    for job in JOBS.values():
        yield from job["steps"]


def test_schema() -> None:
    """The workflow matches the schema of GitHub Actions."""
    program, file = Path(sys.executable).with_name("check-jsonschema"), ROOT / ".github/workflows/ci.yml"
    command = [str(program), "--builtin-schema=vendor.github-workflows", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_python_versions() -> None:
    """Workflow, nox, setup.cfg and README list the same Python versions, and the image uses one of them."""
    assert JOBS["test"]["strategy"]["matrix"]["python"] == PYTHONS
    listed = subprocess.run(
        [Path(sys.executable).with_name("nox"), "--list", "--json", "--noxfile", ROOT / "noxfile.py"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert [session["python"] for session in json.loads(listed.stdout)] == PYTHONS
    setup = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    assert re.findall(r"(?m)^    Programming Language :: Python :: (\S+)$", setup) == PYTHONS
    assert f"\npython_requires = >={PYTHONS[0]}\n" in setup
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"Python (\S+) to (\S+)\.", readme) == [(PYTHONS[0], PYTHONS[-1])]
    bases = re.findall(r"(?m)^FROM python:([\d.]+)-", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    assert bases
    assert set(bases) <= set(PYTHONS)
    others = {step["with"]["python-version"] for step in steps() if "setup-python" in step.get("uses", "")}
    assert others <= set(PYTHONS)


def test_checks_run_once() -> None:
    """`make check` runs once, on a Python version for which all packages exist."""
    checks = [step["run"] for step in steps() if "make check" in step.get("run", "")]
    assert checks == [step["run"] for step in JOBS["check"]["steps"] if "run" in step] == ["make check"]
    assert JOBS["check"]["container"] == f"python:{PYTHONS[-1]}-bookworm"


def test_actions_are_pinned() -> None:
    """Each action is pinned by commit, with its version in a comment."""
    used = re.findall(r"uses: (.*)", TEXT)
    assert len(used) == len([step for step in steps() if "uses" in step])
    assert [item for item in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", item)] == []


def test_actions_run_on_node_24() -> None:
    """Each action runs on Node 24 and is pinned to the same commit everywhere."""
    used = set(re.findall(r"uses: (.*)@(\w+) # v(\d+)", TEXT))
    assert {name for name, _, _ in used} == NODE_24.keys()
    assert len(used) == len(NODE_24)
    assert [name for name, _, major in used if int(major) < NODE_24[name]] == []


def test_make_targets_exist() -> None:
    """The workflow runs the targets of .ci/run and `dist`, and all of them exist."""
    targets = [target for step in steps() for target in re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))]
    gate = re.findall(r"(?m)^make ([a-z-]+)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert {*gate, "dist"} <= set(targets)
    for target in targets:
        subprocess.run(
            [tool("make"), "--dry-run", target], cwd=ROOT, check=True, capture_output=True, timeout=60
        )


def test_nothing_is_allowed_to_fail() -> None:
    """No step is allowed to fail, and the workflow has read permission only."""
    assert "continue-on-error" not in TEXT
    assert "|| true" not in TEXT
    assert yaml.safe_load(TEXT)["permissions"] == {"contents": "read"}
    assert JOBS["release"]["needs"] == [name for name in JOBS if name != "release"]
