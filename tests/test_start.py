"""What a command imports before it does its work: scripts and health checks start it often."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys

import pytest

VERSION = {"pf_exporter", "pf_exporter.__main__", "pf_exporter.build_info", "pf_exporter.descriptor"}
"""All modules of the project that ``--version`` may import."""

LIGHT = {
    "__main__",
    "build_info",
    "cli",
    "command_line",
    "commands",
    "config",
    "descriptor",
    "errors",
    "formatting",
    "lazy",
    "log",
    "process",
    "reason",
    "schema",
    "server",
}
"""The packages of the project that ``--help`` and ``health`` may import."""

HEAVY = {"asyncio", "concurrent.futures", "email", "http", "ssl", "unittest", "xml"}
"""Modules of the standard library that take milliseconds and megabytes."""


def imported(*command: str) -> set[str]:
    """The modules that a Python process imports."""
    words = [sys.executable, "-X", "importtime", *command]
    run = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    return set(re.findall(r"^import time:.*\| +(\S+)$", run.stderr, re.MULTILINE))


def test_version() -> None:
    """--version imports four modules of the project."""
    assert {
        name for name in imported("-m", "pf_exporter", "--version") if name.startswith("pf_exporter")
    } <= VERSION


@pytest.mark.parametrize("arguments", [["--help"], ["health", "--web.listen-address=127.0.0.1:1"]])
def test_light_commands(arguments: list[str]) -> None:
    """--help and health import no library, no TLS, and only packages without I/O."""
    modules = imported("-m", "pf_exporter", *arguments) - imported("-c", "pass")
    packages = {name.split(".")[1] for name in modules if name.startswith("pf_exporter.")}
    assert packages <= LIGHT
    assert "config" in packages
    assert modules & HEAVY == set()
    libraries = importlib.metadata.packages_distributions().keys() - {"pf_exporter"}
    assert "requests" in libraries
    assert {name.partition(".")[0] for name in modules} & libraries == set()
