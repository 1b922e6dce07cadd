"""What the commands have in common: exit codes, kinds of arguments, the look of their help."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from typing import TypeAlias

from pf_exporter.config import add_flags, duration

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

Run = Callable[[argparse.Namespace, Mapping[str, str]], int]
"""What a command does with its arguments and the environment; gives the process's exit code."""

OK, DIED, BAD_CONFIG, UNREACHABLE, NO_LOGIN, NO_STREAM, SILENT, WRONG_CLOCK, TAKEN = range(9)
"""Exit codes; what each is for: ``EXIT_CODES``."""

EXIT_CODES = {
    OK: "all is well, or it stopped as asked",
    DIED: "it died of a fault of its own",
    BAD_CONFIG: "the configuration, or a file it names, cannot be used",
    UNREACHABLE: "the API cannot be reached: name, connection, TLS, or a server that cannot answer",
    NO_LOGIN: "the login or API key is refused, or a person has to act first (MFA, EULA)",
    NO_STREAM: "the subscription or the stream is refused",
    SILENT: "nothing came",
    WRONG_CLOCK: "the clock of this machine is wrong",
    TAKEN: "a listen address is taken, or is not this machine's",
}
"""What each exit code says."""


def drop_output() -> None:
    """Let what is still to be written to standard output go nowhere, without complaint."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def echo(line: str) -> None:
    """Write a line to standard output, at once; where nobody reads any more, go on in silence."""
    try:
        print(line, flush=True)
    except BrokenPipeError:
        drop_output()
    except OSError as exc:
        drop_output()
        print(f"pf-exporter: cannot write to standard output: {exc.strerror}", file=sys.stderr)
        raise SystemExit(DIED) from None


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Help in lines of at most 100 characters, with the line breaks of its texts."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34, width=100)


def seconds(text: str) -> float:
    """A duration such as ``500ms``, as an argument of a command."""
    try:
        return duration(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(str(exc)) from None


def whole(text: str) -> int:
    """A number of at least one, as an argument of a command."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("expected a whole number from 1 up")
    return int(text)


def add(
    commands: Commands,
    name: str,
    run: Run,
    *,
    help: str,
    description: str = "",
    epilog: str | None = None,
    settings: bool = False,
) -> argparse.ArgumentParser:
    """The parser of a new command; with ``settings`` it takes every flag of the exporter as well."""
    if settings:
        description += "\n\nEvery flag of pf-exporter itself can be given too; see pf-exporter --help."
    parser = commands.add_parser(
        name,
        help=help,
        description=description or f"{help[:1].upper()}{help[1:]}.",
        epilog=epilog,
        formatter_class=HelpFormatter,
        allow_abbrev=False,
    )
    if settings:
        add_flags(parser, of_command=True)
    parser.set_defaults(run=run)
    return parser
