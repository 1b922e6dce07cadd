"""The files for contributors, for editors and for GitHub are valid, and match the tools of the project."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from pf_exporter.command_line import create_parser
from tests.conftest import tool

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
FORMS = [path for path in sorted((GITHUB / "ISSUE_TEMPLATE").iterdir()) if path.name != "config.yml"]
SCHEMAS = {
    "dependabot": [GITHUB / "dependabot.yml"],
    "github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "github-issue-forms": FORMS,
    "github-workflows": sorted((GITHUB / "workflows").iterdir()),
}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_schema(schema: str) -> None:
    """The files match the schema of GitHub."""
    program = Path(sys.executable).with_name("check-jsonschema")
    command = [str(program), f"--builtin-schema=vendor.{schema}", *map(str, SCHEMAS[schema])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_reports_include_evidence() -> None:
    """Templates ask for the output of `check --json` and for a recording."""
    for path in (GITHUB / "ISSUE_TEMPLATE" / "bug.yml", GITHUB / "pull_request_template.md"):
        text = path.read_text(encoding="utf-8")
        assert "pf-exporter check --json" in text
        assert "recording" in text


@pytest.mark.parametrize("path", [*FORMS, ROOT / "SECURITY.md"], ids=lambda path: str(path.name))
def test_commands_exist(path: Path) -> None:
    """Each command that a template or a policy names is a command of the exporter."""
    for command in re.findall(r"`pf-exporter ([^`]*)`", path.read_text(encoding="utf-8")):
        create_parser().parse_args(shlex.split(command))


def hooks() -> list[dict[str, Any]]:
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    # Only programs of .venv: a hook fetches nothing.
    assert repository["repo"] == "local"
    found: list[dict[str, Any]] = repository["hooks"]
    return found


def test_hooks_run_the_checks() -> None:
    """A commit runs the tools of `make check`, from .venv, and tests that exist."""
    recipe = subprocess.run(
        [tool("make"), "--dry-run", "check"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    checks = set(re.findall(r"(?m)^\.venv/bin/(ruff|mypy|codespell)\b", recipe))
    entries = [shlex.split(hook["entry"]) for hook in hooks()]
    assert checks == {Path(entry[0]).name for entry in entries} - {"python"}
    assert all(entry[0].startswith(".venv/bin/") for entry in entries)
    tests = [word for entry in entries for word in entry if word.startswith("tests/")]
    assert tests
    assert all((ROOT / name).is_file() for name in tests)


def sections() -> dict[str, dict[str, str]]:
    """Return the settings of .editorconfig for each pattern of file names."""
    found: dict[str, dict[str, str]] = {"": {}}
    name = ""
    for line in (ROOT / ".editorconfig").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            found[name] = {}
        elif line:
            key, _, value = line.partition(" = ")
            found[name][key] = value
    return found


def test_editors_use_the_style_of_the_project() -> None:
    """.editorconfig has the line length of ruff, and text files end as it says."""
    ruff = (ROOT / "ruff.toml").read_text(encoding="utf-8")
    (length,) = re.findall(r"(?m)^line-length = (\d+)$", ruff)
    assert sections()["*.py"]["max_line_length"] == length
    assert sections()["Makefile"]["indent_style"] == "tab"
    everything = sections()["*"]
    assert (everything["insert_final_newline"], everything["trim_trailing_whitespace"]) == ("true", "true")
    patterns = ("*.py", "*.md", "*.yml", "*.yaml", "*.cfg", "*.toml", "Makefile")
    folders = ("pf_exporter", "tests", "tools", "docs", "deploy", ".github", "grafana", "prometheus")
    paths = [path for path in ROOT.iterdir() if path.is_file()]
    paths += [path for folder in folders for path in (ROOT / folder).rglob("*")]
    texts = [path for path in paths if any(fnmatch(path.name, pattern) for pattern in patterns)]
    assert len(texts) > 300
    wrong = []
    for path in texts:
        text = path.read_text(encoding="utf-8")
        if text and not text.endswith("\n"):
            wrong.append(f"{path}: no newline at the end")
        wrong += [
            f"{path}:{number}" for number, line in enumerate(text.splitlines(), 1) if line != line.rstrip()
        ]
    assert wrong == []


def test_the_badge_is_that_of_a_workflow() -> None:
    """The badge in README.md shows the state of a workflow that exists, in any copy of the repository."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    badges = re.findall(r"\[!\[(\w+)\]\((\S+)/badge\.svg\)\]\((\S+)\)", readme)
    assert badges == [("ci", "../../actions/workflows/ci.yml", "../../actions/workflows/ci.yml")]
    assert (GITHUB / "workflows" / "ci.yml").exists()


def test_policies_are_linked() -> None:
    """README.md links to the policies, and CONTRIBUTING.md and docs/security.md to where to report what."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "](SECURITY.md)" in readme
    assert "](CODE_OF_CONDUCT.md)" in readme
    assert "](../SECURITY.md" in (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
