"""The programs that the project needs, their Debian packages, and the oldest versions that work."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

LIST = Path(__file__).parents[1] / "tools" / "programs.txt"
VERSION = re.compile(r"(?:version |systemd |v)(\d[\d.]*)")
"""As in ``promtool, version 2.42.0+ds``, ``systemd 252 (252.39)`` and ``Client Version: v1.32.4``."""


class Requirement(NamedTuple):
    """A line of tools/programs.txt; ``oldest`` is ``-`` where any version works."""

    purpose: str
    name: str
    package: str
    oldest: str


def required_programs() -> list[Requirement]:
    """Return the programs in tools/programs.txt, in order."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    return [Requirement(*line.split()) for line in lines if line and not line.startswith("#")]


OLDEST = {program.name: program.oldest for program in required_programs() if program.oldest != "-"}


class Version(NamedTuple):
    """A version as text, and as numbers to compare."""

    text: str
    numbers: tuple[int, ...]


def parse_version(text: str) -> Version:
    """Parse a version such as ``2.42.0``."""
    return Version(text, tuple(int(number) for number in text.split(".") if number))


def installed_version(name: str, path: str) -> Version | None:
    """Return the version that a program reports, None if it reports none."""
    command = [path, "version", "--client"] if name == "kubectl" else [path, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    match = VERSION.search(done.stdout + done.stderr)
    return None if match is None else parse_version(match[1])


def version_problem(name: str, path: str) -> str | None:
    """Return one line about a program that is too old for the tests, None if it is recent enough."""
    if name not in OLDEST:
        return None
    version = installed_version(name, path)
    if version is None:
        return f"{path} does not report its version: the tests need {name} {OLDEST[name]} or later"
    if version.numbers < parse_version(OLDEST[name]).numbers:
        return f"{path} is version {version.text}: the tests need {name} {OLDEST[name]} or later"
    return None
