"""The lock files: the requirements of an image, and of its build."""

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
from tools.sbom import THIS_PROJECT, LockedPackage, parse_lock

ROOT = Path(__file__).parents[2]
LOCKS = {
    name: (ROOT / name).read_text(encoding="utf-8") for name in ("requirements.txt", "requirements-build.txt")
}
LOCK = parse_lock(LOCKS["requirements.txt"])
FLOORS = {
    "certifi": "2024.7.4",
    "h11": "0.16",
    "idna": "3.7",
    "requests": "2.33",
    "starlette": "0.49.1",
    "urllib3": "2.7",
}
"""The first versions without known vulnerabilities of the packages that connect to the API or serve pages."""


def install_requirements() -> list[Requirement]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options"]["install_requires"].splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def build_requirements() -> list[Requirement]:
    (requires,) = re.findall(
        r"(?m)^requires = \[(.*)\]$", (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    )
    return [Requirement(text) for text in re.findall(r'"([^"]+)"', requires)]


def problems(lock: list[LockedPackage], requirements: list[Requirement]) -> list[str]:
    """Return what is missing in a lock, superfluous, or at a version that is not allowed, on any Python."""
    found = []
    for requirement in requirements:
        locked = [entry for entry in lock if entry.name == canonicalize_name(requirement.name)]
        found += [
            f"{requirement}: no {entry.version}"
            for entry in locked
            if entry.version not in requirement.specifier
        ]
        for python in PYTHONS:
            environment = {"python_version": python, "python_full_version": f"{python}.1"}
            matching = [
                entry for entry in locked if not entry.marker or Marker(entry.marker).evaluate(environment)
            ]
            if len(matching) != 1:
                found.append(f"{requirement}: {len(matching)} times on {python}")
    names = {canonicalize_name(requirement.name) for requirement in requirements}
    reached = {entry.name for entry in lock if THIS_PROJECT in entry.required_by and entry.name in names}
    while more := {entry.name for entry in lock if reached & {*entry.required_by}} - reached:
        reached |= more
    return found + [f"{entry.name}: not required" for entry in lock if entry.name not in reached]


def test_the_lock_matches_the_requirements() -> None:
    """On each Python every requirement is locked once at an allowed version, and nothing else is locked."""
    assert problems(LOCK, install_requirements()) == []


NEW = LockedPackage("new", "1.0", "", ["0"], [THIS_PROJECT])


@pytest.mark.parametrize(
    ("lock", "problem"),
    [
        ([*LOCK, NEW], "new: not required"),
        ([*LOCK, NEW._replace(required_by=["gone"])], "new: not required"),
        ([*LOCK, NEW._replace(required_by=["new"])], "new: not required"),
        ([item for item in LOCK if item.name != "isal"], "isal>=1.8: 0 times on 3.10"),
        (
            [item._replace(version="0.1") if "<" in item.marker else item for item in LOCK],
            "starlette>=0.49.1: no 0.1",
        ),
        (
            [item for item in LOCK if item.name != "starlette" or "<" in item.marker],
            "starlette>=0.49.1: 0 times on 3.11",
        ),
        ([*LOCK, *(item for item in LOCK if item.name == "isal")], "isal>=1.8: 2 times on 3.10"),
    ],
)
def test_problems_are_found(lock: list[LockedPackage], problem: str) -> None:
    """Superfluous, missing, duplicate and outdated entries are found."""
    assert problem in problems(lock, install_requirements())


@pytest.mark.parametrize(("name", "floor"), FLOORS.items())
def test_minimum_versions(name: str, floor: str) -> None:
    """setup.cfg and the lock exclude versions with known vulnerabilities."""
    (requirement,) = (item for item in install_requirements() if item.name == name)
    assert str(requirement.specifier) == f">={floor}"
    versions = [Version(entry.version) for entry in LOCK if entry.name == name]
    assert versions
    assert min(versions) >= Version(floor)


def test_build_requirements_are_locked() -> None:
    """The lock for building contains exactly the requirements in pyproject.toml."""
    lock = parse_lock(LOCKS["requirements-build.txt"])
    assert [entry.name for entry in lock] == [item.name for item in build_requirements()]
    assert [
        item
        for item, entry in zip(build_requirements(), lock, strict=True)
        if entry.version not in item.specifier
    ] == []


@pytest.mark.parametrize("lock", LOCKS.values(), ids=LOCKS)
def test_hashes_and_no_urls(lock: str) -> None:
    """Each entry has hashes, so that its files cannot be replaced; no index or URL is named."""
    assert len(parse_lock(lock)) == len(re.findall("==", re.sub("#.*|;.*", "", lock))) > 0
    hashes = [item for entry in parse_lock(lock) for item in entry.hashes or ["none"]]
    assert [item for item in hashes if not re.fullmatch("[0-9a-f]{64}", item)] == []
    assert len(hashes) == lock.count("--hash")
    assert "://" not in lock
    assert "--index" not in lock
