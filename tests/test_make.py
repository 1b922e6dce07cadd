"""`make test`: in parallel, with coverage, and in a time zone that is far from UTC."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import SLOW_MODULES, tool

ROOT = Path(__file__).parents[1]


def recipe(*arguments: str) -> str:
    """Return the command that runs the tests."""
    command = [tool("make"), "--dry-run", "test", *arguments]
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    (line,) = (line for line in lines.splitlines() if "pytest" in line)
    return line


def test_parallel_with_coverage() -> None:
    """All cores are used, slow modules start first, and too little coverage is an error."""
    parallel = f"--numprocesses={len(os.sched_getaffinity(0)) + 2} --dist=loadscope --no-loadscope-reorder"
    assert f"{parallel} --cov" in recipe()
    assert [name for name in SLOW_MODULES if not (ROOT / "tests" / name).is_file()] == []
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert setup.getfloat("coverage:report", "fail_under") > 90
    assert setup["coverage:run"]["patch"] == "subprocess"
    assert not re.search("--cov|-n |numprocesses", setup["tool:pytest"]["addopts"])


def test_time_zone() -> None:
    """The local time is 5:45 from UTC; a zone that the machine does not know would silently be UTC."""
    (zone,) = re.findall(r"^TZ=(\S+) ", recipe())
    shown = subprocess.run(
        [sys.executable, "-c", "import time; print(time.strftime('%z'))"],
        env={**os.environ, "TZ": zone},
        check=True,
        capture_output=True,
        text=True,
    )
    assert shown.stdout == "+0545\n"
    assert recipe("ZONE=UTC").startswith("TZ=UTC ")
