"""The bill of materials that `make dist` lays beside a release."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from pf_exporter import __version__
from tests.conftest import tool

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def text() -> str:
    """What the line of `make dist` that makes it writes."""
    command = [tool("make"), "--dry-run", "dist"]
    recipe = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    (line,) = (line for line in recipe.splitlines() if line.endswith("> dist/sbom.cdx.json"))
    program, *arguments = shlex.split(line.partition(" > ")[0])
    assert Path(program).name == "python"
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture(scope="module")
def bill(text: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(text)
    return made


def test_it_is_cyclonedx(text: str) -> None:
    """It follows CycloneDX' schema; one that does not is told apart."""
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"library"', '"libary"')) is not None


def test_it_is_about_the_exporter(bill: dict[str, Any]) -> None:
    """What it lists the parts of is this version of the exporter, under its licence."""
    about = bill["metadata"]["component"]
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert (about["type"], about["name"], about["version"]) == ("application", "pf_exporter", __version__)
    assert about["licenses"] == [{"license": {"id": setup["metadata"]["license"]}}]


def test_it_lists_what_is_locked(bill: dict[str, Any]) -> None:
    """It lists each locked version with its hashes, and for which Pythons it is."""
    locked = re.findall(r"(?m)^([\w.-]+)==([\w.]+)(?: ; (.*?))? \\$", LOCK)
    assert len(locked) > 10
    assert [
        (one["name"], one["version"], "".join(more["value"] for more in one.get("properties", ())))
        for one in bill["components"]
    ] == locked
    hashes = [
        item["content"]
        for one in bill["components"]
        for reference in one["externalReferences"]
        for item in reference["hashes"]
    ]
    assert hashes == re.findall(r"--hash=sha256:([0-9a-f]{64})", LOCK)


def test_it_says_what_needs_what(bill: dict[str, Any]) -> None:
    """From the exporter its dependencies lead to every part; its own are those that setup.cfg names."""
    needs = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    root = bill["metadata"]["component"]["bom-ref"]
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    required = re.findall(r"(?m)^([\w-]+) >=", setup["options"]["install_requires"])
    assert {ref.split("/")[1].split("@")[0] for ref in needs[root]} == {name.lower() for name in required}
    reached: set[str] = set()
    todo = [root]
    while todo:
        ref = todo.pop()
        todo += [one for one in needs[ref] if one not in reached]
        reached.add(ref)
    assert reached == needs.keys() == {root, *(one["bom-ref"] for one in bill["components"])}


def test_it_names_no_place(text: str) -> None:
    """It says what the parts are, not where somebody got them from."""
    assert set(re.findall(r"\w+://[^/\"]+", text)) == {"http://cyclonedx.org"}  # The schema's name.
