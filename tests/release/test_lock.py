"""The locked requirements: what an image and a careful installation consist of."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.txt").read_text(encoding="utf-8")


def wanted() -> list[Requirement]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    lines = config["options"]["install_requires"].splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def locked() -> dict[str, str]:
    return {
        canonicalize_name(name): version for name, version in re.findall(r"(?m)^([\w.-]+)==([\w.]+)", LOCK)
    }


def test_it_holds_what_is_required() -> None:
    """Every requirement of the package is locked at a version that it admits."""
    versions = locked()
    bad = [
        str(one) for one in wanted() if versions.get(canonicalize_name(one.name), "0") not in one.specifier
    ]
    assert bad == []


def test_everything_is_there_for_a_reason() -> None:
    """What nothing asks for is not locked: each entry says what it is needed by."""
    entries = re.split(r"(?m)^(?=[\w.-]+==)", LOCK)[1:]
    assert len(entries) >= len(locked())  # some twice, for different Pythons
    assert [entry.splitlines()[0] for entry in entries if "# via" not in entry] == []


def test_hashes_and_no_addresses() -> None:
    """Each entry has hashes, so that nobody can put another file in its place; where from is not said."""
    entries = re.split(r"(?m)^(?=[\w.-]+==)", LOCK)[1:]
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in LOCK
    assert "--index" not in LOCK
