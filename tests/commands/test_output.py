"""Lines for the terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ECHO = """
from pf_exporter.commands import echo, echo_error
from pf_exporter.log import Logger, configure_logging

configure_logging("info", "logfmt")
for number in range(100):
    Logger("pf_exporter.x").info("logged")
echo("echoed")
Logger("pf_exporter.x").info("logged again")
echo_error("failed")
"""


def test_lines_are_in_order_with_the_log() -> None:
    """A line for the terminal follows what was logged before it."""
    command = [sys.executable, "-c", ECHO]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30, check=True
    )
    lines = done.stdout.splitlines()
    assert [line.partition(" msg=")[2] or line for line in lines[99:]] == [
        "logged",
        "echoed",
        '"logged again"',
        "pf-exporter: failed",
    ]


def test_a_reader_that_has_gone_ends_the_output_silently() -> None:
    """After the reader of the pipe has gone, the command goes on without output and without complaint."""
    script = "from pf_exporter.commands import echo\nfor _ in range(100_000): echo('line')"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f'{sys.executable} -c "{script}" | head -n 1'],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "line\n", "")


def test_output_that_cannot_be_written_is_an_error() -> None:
    """A full disk is exit code 1 and one line."""
    command = [sys.executable, "-m", "pf_exporter", "--version"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=30, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "pf-exporter: cannot write to standard output: No space left on device\n"
