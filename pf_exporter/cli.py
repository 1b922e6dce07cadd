"""The command line: finds the command, runs it, and turns its errors into lines and exit codes."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence

from pf_exporter import __version__
from pf_exporter.build_info import revision
from pf_exporter.commands import DEFAULT_COMMAND, ExitCode, create_parser, echo, echo_error, load_command
from pf_exporter.errors import CannotListen, ConfigError


def parser() -> argparse.ArgumentParser:
    """The parser of the command line: the exporter's own flags, and the commands."""
    return create_parser()


def _version() -> str:
    build = f"revision {commit}, " if (commit := revision()) else ""
    return f"pf_exporter {__version__} ({build}Python {platform.python_version()})"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code of the process."""
    arguments = parser().parse_args(sys.argv[1:] if argv is None else argv)
    if arguments.version:
        echo(_version())
        return ExitCode.OK
    try:
        return load_command(arguments.command or DEFAULT_COMMAND).run(arguments, os.environ)
    except ConfigError as exc:
        for problem in exc.problems:
            echo_error(problem)
        return ExitCode.CANNOT_LISTEN if isinstance(exc, CannotListen) else ExitCode.BAD_CONFIG
