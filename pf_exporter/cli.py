"""The command line: finds the command, runs it, and turns its errors into lines and exit codes."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Mapping, Sequence

from pf_exporter.build_info import version_line
from pf_exporter.command_line import DEFAULT_COMMAND, create_parser, load_command
from pf_exporter.config import log_format
from pf_exporter.errors import CannotListen, ConfigError
from pf_exporter.process import ExitCode, echo, echo_error


def _wants_json(words: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether the log is JSON, before the command line is parsed: a mistake in it is reported there, too."""
    flag, format = "--log.format", environ.get("PF_EXPORTER_LOG_FORMAT", "")
    for index, word in enumerate(words):
        if word == flag:
            format = "".join(words[index + 1 : index + 2])
        elif word.startswith(f"{flag}="):
            format = word.partition("=")[2]
    return format == "json"


def _log_json() -> None:
    from pf_exporter.log import configure_logging

    configure_logging("info", "json")


def _report(error: ConfigError, arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Report every problem, in the format of the log; --config.check is for people."""
    if not arguments.config_check and log_format(arguments, environ) == "json":
        _log_json()
    for problem in error.problems:
        echo_error(problem)
    return ExitCode.CANNOT_LISTEN if isinstance(error, CannotListen) else ExitCode.BAD_CONFIG


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code of the process."""
    words, environ = sys.argv[1:] if argv is None else argv, os.environ
    # A terminal of another encoding than UTF-8 lacks some signs.
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    if _wants_json(words, environ):
        _log_json()
    arguments = create_parser().parse_args(words)
    if arguments.version:
        echo(version_line())
        return ExitCode.OK
    try:
        return load_command(arguments.command or DEFAULT_COMMAND).run(arguments, environ)
    except ConfigError as exc:
        return _report(exc, arguments, environ)
    except KeyboardInterrupt:  # In a command that does not wait for signals.
        echo_error("interrupted")
        return ExitCode.FAILED
