"""The process of a command: exit codes, signals, and output and progress on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.lazy import lazy_names

if TYPE_CHECKING:
    from pf_exporter.process.exit_code import ExitCode
    from pf_exporter.process.output import STDOUT, discard_output, echo, echo_error, write_stdout
    from pf_exporter.process.progress import Progress, ProgressLine
    from pf_exporter.process.signals import TERMINATION, SignalWaiter
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "exit_code": ("ExitCode",),
            "output": ("STDOUT", "discard_output", "echo", "echo_error", "write_stdout"),
            "progress": ("Progress", "ProgressLine"),
            "signals": ("TERMINATION", "SignalWaiter"),
        },
    )

__all__ = [
    "STDOUT",
    "TERMINATION",
    "ExitCode",
    "Progress",
    "ProgressLine",
    "SignalWaiter",
    "discard_output",
    "echo",
    "echo_error",
    "write_stdout",
]
