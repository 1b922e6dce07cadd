"""The workflows and noxfile.py."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import tool

ROOT = Path(__file__).parents[2]
WORKFLOWS = {
    path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / ".github/workflows").iterdir())
}
JOBS: dict[str, Any] = yaml.safe_load(WORKFLOWS["ci.yml"])["jobs"]
NIGHTLY: dict[str, Any] = yaml.safe_load(WORKFLOWS["nightly.yml"])["jobs"]
PYTHONS = ["3.10", "3.11", "3.12", "3.13"]
"""The supported versions, oldest first."""
NODE_24 = {"actions/checkout": 5, "actions/setup-python": 6, "actions/upload-artifact": 6}
"""The first major version of each action that runs on Node 24; older versions are no longer supported."""


def steps(*workflows: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for workflow in workflows or (JOBS, NIGHTLY):
        for job in workflow.values():
            yield from job["steps"]


def make_commands(*workflows: dict[str, Any]) -> list[str]:
    """Return what the steps of workflows pass to make."""
    return [text for step in steps(*workflows) for text in re.findall(r"\bmake (.+)", step.get("run", ""))]


@pytest.mark.parametrize("name", WORKFLOWS)
def test_schema(name: str) -> None:
    """Each workflow matches the schema of GitHub Actions."""
    program, file = Path(sys.executable).with_name("check-jsonschema"), ROOT / ".github/workflows" / name
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
    assert re.findall(r"Python (\d\.\d+) to (\d\.\d+)", readme) == [(PYTHONS[0], PYTHONS[-1])]
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
    used = re.findall(r"uses: (.*)", "".join(WORKFLOWS.values()))
    assert len(used) == len([step for step in steps() if "uses" in step])
    assert [item for item in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", item)] == []


def test_actions_run_on_node_24() -> None:
    """Each action runs on Node 24 and is pinned to the same commit everywhere."""
    used = set(re.findall(r"uses: (.*)@(\w+) # v(\d+)", "".join(WORKFLOWS.values())))
    assert {name for name, _, _ in used} == NODE_24.keys()
    assert len(used) == len(NODE_24)
    assert [name for name, _, major in used if int(major) < NODE_24[name]] == []


def test_make_targets_exist() -> None:
    """The workflow runs the targets of .ci/run and `dist`, and all targets in both workflows exist."""
    gate = re.findall(r"(?m)^make ([a-z-]+)$", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert {*gate, "dist"} <= set(make_commands(JOBS))
    for command in make_commands():
        subprocess.run(
            [tool("make"), "--dry-run", *re.sub(r"\$\{\{.*\}\}", "x", command).split()],
            cwd=ROOT,
            check=True,
            capture_output=True,
            timeout=60,
        )


def test_nightly() -> None:
    """Every night all tests run in random order, the soak test for an hour, mutants and benchmarks."""
    packages = NIGHTLY["mutants"]["strategy"]["matrix"]["package"]
    assert [package for package in packages if not (ROOT / "pf_exporter" / package).is_dir()] == []
    assert make_commands(NIGHTLY) == [
        "nightly",
        "soak MINUTES=60",
        "mutants MINUTES=60 MODULES=pf_exporter/${{ matrix.package }}",
        "bench",
    ]


@pytest.mark.parametrize("text", WORKFLOWS.values(), ids=list(WORKFLOWS))
def test_nothing_is_allowed_to_fail(text: str) -> None:
    """No step is allowed to fail, and the workflows have read permission only."""
    assert "continue-on-error" not in text
    assert "|| true" not in text
    assert yaml.safe_load(text)["permissions"] == {"contents": "read"}


def test_release_needs_all_jobs() -> None:
    """A release is built only if all other jobs succeed."""
    assert JOBS["release"]["needs"] == [name for name in JOBS if name != "release"]
