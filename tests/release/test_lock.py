"""The locked requirements: what an image and a careful installation consist of, and what builds them."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.release.test_workflow import PYTHONS
from tools.sbom import OURSELVES, Entry, entries

ROOT = Path(__file__).parents[2]
LOCKS = {
    name: (ROOT / name).read_text(encoding="utf-8") for name in ("requirements.txt", "requirements-build.txt")
}
LOCK = entries(LOCKS["requirements.txt"])
FLOORS = {"requests": "2.33", "urllib3": "2.7"}
"""The versions that mended holes in what talks to the API."""


def wanted() -> list[Requirement]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options"]["install_requires"].splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def built_by() -> list[Requirement]:
    (requires,) = re.findall(
        r"(?m)^requires = \[(.*)\]$", (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    )
    return [Requirement(text) for text in re.findall(r'"([^"]+)"', requires)]


def faults(lock: list[Entry], requirements: list[Requirement]) -> list[str]:
    """What a lock has too little, too much, or at a version that is not admitted, on any Python."""
    found = []
    for one in requirements:
        mine = [entry for entry in lock if entry.name == canonicalize_name(one.name)]
        found += [f"{one}: no {entry.version}" for entry in mine if entry.version not in one.specifier]
        for python in PYTHONS:
            there = {"python_version": python, "python_full_version": f"{python}.1"}
            fit = [entry for entry in mine if not entry.marker or Marker(entry.marker).evaluate(there)]
            found += [f"{one}: {len(fit)} times on {python}"] * (len(fit) != 1)
    names = {canonicalize_name(one.name) for one in requirements}
    reached = {entry.name for entry in lock if OURSELVES in entry.needed_by and entry.name in names}
    while more := {entry.name for entry in lock if reached & {*entry.needed_by}} - reached:
        reached |= more
    return found + [f"{entry.name}: nobody needs it" for entry in lock if entry.name not in reached]


def test_it_holds_what_is_required() -> None:
    """On each Python every requirement is there once, at a version it admits, and nothing is for nobody."""
    assert faults(LOCK, wanted()) == []


NEW = Entry("new", "1.0", "", ["0"], [OURSELVES])


@pytest.mark.parametrize(
    ("lock", "fault"),
    [
        ([*LOCK, NEW], "new: nobody needs it"),
        ([*LOCK, NEW._replace(needed_by=["gone"])], "new: nobody needs it"),
        ([*LOCK, NEW._replace(needed_by=["new"])], "new: nobody needs it"),
        ([one for one in LOCK if one.name != "isal"], "isal>=1.8: 0 times on 3.10"),
        (
            [one._replace(version="0.1") if "<" in one.marker else one for one in LOCK],
            "starlette>=0.49: no 0.1",
        ),
        (
            [one for one in LOCK if one.name != "starlette" or "<" in one.marker],
            "starlette>=0.49: 0 times on 3.11",
        ),
        ([*LOCK, *(one for one in LOCK if one.name == "isal")], "isal>=1.8: 2 times on 3.10"),
    ],
)
def test_faults_are_found(lock: list[Entry], fault: str) -> None:
    """What is no longer needed, lacks, is there twice, or is too old in any of its entries is found."""
    assert fault in faults(lock, wanted())


@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_floors(name: str, floor: str) -> None:
    """Neither the lock nor an installation without it has a version with holes that are known."""
    (requirement,) = (one for one in wanted() if one.name == name)
    assert str(requirement.specifier) == f">={floor}"
    versions = [Version(entry.version) for entry in LOCK if entry.name == name]
    assert versions
    assert min(versions) >= Version(floor)


def test_what_builds_is_locked() -> None:
    """The lock for building holds what pyproject.toml asks for and nothing else."""
    lock = entries(LOCKS["requirements-build.txt"])
    assert [entry.name for entry in lock] == [one.name for one in built_by()]
    assert [
        one for one, entry in zip(built_by(), lock, strict=True) if entry.version not in one.specifier
    ] == []


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
def test_hashes_and_no_addresses(lock: str) -> None:
    """Each entry has hashes, so that nobody can put another file in its place; where from is not said."""
    assert len(entries(lock)) == len(re.findall("==", re.sub("#.*|;.*", "", lock))) > 0
    hashes = [one for entry in entries(lock) for one in entry.hashes or ["none"]]
    assert [one for one in hashes if not re.fullmatch("[0-9a-f]{64}", one)] == []
    assert len(hashes) == lock.count("--hash")
    assert "://" not in lock
    assert "--index" not in lock
