"""Writes lines to the terminal, in order with those of the log."""

from __future__ import annotations

import os
import sys

from pf_exporter.descriptor import write_all
from pf_exporter.process.exit_code import ExitCode

STDOUT = 1
"""The descriptor of standard output."""


def write_stdout(text: str) -> None:
    """Write text at once; raises :class:`OSError`.

    A thread that hangs in a write does not keep the process from exiting.
    """
    write_all(STDOUT, text.encode(errors="backslashreplace"))


def discard_output() -> None:
    """Send all further output to the null device."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def echo(line: str) -> None:
    """Print a line at once; if the reader of the pipe has gone, print nothing from now on."""
    if "logging" in sys.modules:  # Otherwise nothing has been logged.
        from pf_exporter.log import flush_logging

        flush_logging()
    try:
        print(line, flush=True)
    except BrokenPipeError:
        discard_output()
    except OSError as exc:
        discard_output()
        echo_error(f"cannot write to standard output: {exc.strerror}")
        raise SystemExit(ExitCode.FAILED) from None


def echo_error(message: str) -> None:
    """Print a line for the user to standard error, or log it where the log is JSON; never waits long."""
    from pf_exporter.log import report

    report(message, prefix="pf-exporter: ")
