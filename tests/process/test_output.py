"""Lines for the terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pf_exporter.process import echo_error
from tests.conftest import LogFile, process_environment

ECHO = """
from pf_exporter.process import echo, echo_error
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
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=process_environment(),
        timeout=60,
        check=True,
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
    script = "from pf_exporter.process import echo\nfor _ in range(100_000): echo('line')"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f'{sys.executable} -c "{script}" | head -n 1'],
        capture_output=True,
        text=True,
        env=process_environment(),
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "line\n", "")


def test_output_that_cannot_be_written_is_an_error() -> None:
    """A full disk is exit code 1 and one line."""
    command = [sys.executable, "-m", "pf_exporter", "--version"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=process_environment(),
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "pf-exporter: cannot write to standard output: No space left on device\n"


def run_with_stderr(script: str, stderr: int) -> int:
    """The exit code of a Python script whose standard error is a descriptor."""
    command = [sys.executable, "-c", f"from pf_exporter.process import echo_error\n{script}"]
    return subprocess.run(
        command, stderr=stderr, env=process_environment(), timeout=60, check=False
    ).returncode


def test_a_blocked_stderr_blocks_no_message(full_pipe: int) -> None:
    """If standard error is not read, a message is dropped and the process ends."""
    assert run_with_stderr("echo_error('failed')", full_pipe) == 0
    logging = "from pf_exporter.log import configure_logging; configure_logging('info', 'json')"
    assert run_with_stderr(f"{logging}\necho_error('failed')", full_pipe) == 0


def test_a_message_follows_the_format_of_the_log(log_file: LogFile) -> None:
    """Where the log is JSON a message is one of its lines, at level error, with the place of its call."""
    echo_error("as text")
    log_file.configure("error", "json")
    echo_error("as JSON")
    text, line = log_file.text().splitlines()
    assert text == "pf-exporter: as text"
    fields = json.loads(line)
    assert (fields["level"], fields["msg"]) == ("error", "as JSON")
    assert fields["source"].startswith("test_output.py:")
