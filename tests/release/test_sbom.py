"""The SBOM that `make dist` writes next to a release."""

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

from pf_exporter import __version__
from tests.conftest import tool

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def text() -> str:
    """The output of the command in `make dist`."""
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


def test_schema(text: str) -> None:
    """It matches the schema of CycloneDX; an invalid one does not."""
    # Not at the top: every process of a parallel run imports this module, and these imports take a second.
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    validator = JsonStrictValidator(SchemaVersion.V1_6)
    assert validator.validate_str(text) is None
    assert validator.validate_str(text.replace('"library"', '"libary"')) is not None


def test_described_component(bill: dict[str, Any]) -> None:
    """It describes this version of the exporter and its license."""
    about = bill["metadata"]["component"]
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert (about["type"], about["name"], about["version"]) == ("application", "pf_exporter", __version__)
    assert about["licenses"] == [{"license": {"id": setup["metadata"]["license_expression"]}}]


def test_components_match_the_lock(bill: dict[str, Any]) -> None:
    """It lists each locked version with its hashes and the Python versions it is for."""
    locked = re.findall(r"(?m)^([\w.-]+)==([\w.]+)(?: ; (.*?))? \\$", LOCK)
    assert len(locked) > 10
    assert [
        (
            component["name"],
            component["version"],
            "".join(entry["value"] for entry in component.get("properties", ())),
        )
        for component in bill["components"]
    ] == locked
    hashes = [
        entry["content"]
        for component in bill["components"]
        for reference in component["externalReferences"]
        for entry in reference["hashes"]
    ]
    assert hashes == re.findall(r"--hash=sha256:([0-9a-f]{64})", LOCK)


def test_dependencies(bill: dict[str, Any]) -> None:
    """Every component is reachable from the exporter, whose direct dependencies are those in setup.cfg."""
    needs = {item["ref"]: item["dependsOn"] for item in bill["dependencies"]}
    root = bill["metadata"]["component"]["bom-ref"]
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    required = re.findall(r"(?m)^([\w-]+) >=", setup["options"]["install_requires"])
    assert {ref.split("/")[1].split("@")[0] for ref in needs[root]} == {name.lower() for name in required}
    reached: set[str] = set()
    pending = {root}
    while pending:
        ref = pending.pop()
        reached.add(ref)
        pending |= {*needs[ref]} - reached
    assert reached == needs.keys() == {root, *(item["bom-ref"] for item in bill["components"])}


def test_no_urls(text: str) -> None:
    """It contains no URL from which packages were fetched."""
    assert set(re.findall(r"\w+://[^/\"]+", text)) == {"http://cyclonedx.org"}  # The schema's name.
