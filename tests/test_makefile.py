"""The Makefile says what it lacks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.conftest import tool

ROOT = Path(__file__).parents[1]


def test_a_python_without_ensurepip(tmp_path: Path) -> None:
    """Who is not root is told on standard error which package of Debian's is missing; nothing is made."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, script in {"id": "echo 1000", "bare": "exit 1"}.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    venv = tmp_path / "venv"
    done = subprocess.run(
        [tool("make"), f"VENV={venv}", "PYTHON=bare", f"{venv}/bin/python"],
        cwd=ROOT,
        env={"PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2  # make's own, for a recipe that failed
    said, stopped = done.stderr.splitlines()
    assert said.endswith("on Debian: apt-get install python3-venv")
    assert stopped.endswith("Error 1")
    assert done.stdout == ""
    assert not venv.exists()
