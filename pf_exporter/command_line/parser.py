"""The parser of every command, completed when the command is chosen."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn, Protocol, cast

from pf_exporter.command_line.usage_errors import (
    scan_words,
    unexpected_argument,
    unknown_command,
    unknown_flag,
)
from pf_exporter.config import add_flags, is_former_flag
from pf_exporter.process import ExitCode, echo_error

PROGRAM = "pf-exporter"

DEFAULT_COMMAND = "export"
"""The module of the command that runs if none is given."""

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "check": "check the configuration against the API, step by step",
        "tail": "show live events in the terminal",
        "top": "show a live table of the busiest circuits",
        "record": "record the streams to a file",
        "replay": "run the exporter on a recording",
        "backfill": "fill gaps, and the time before the first start, from the API's history",
        "demo": "run the exporter on a simulated PacketFabric",
        "simulate": "run a simulated PacketFabric",
        "health": "ask the running exporter whether it is healthy",
        "assets": "write rules, dashboards and the mixin to a folder",
        "completion": "print the completion script of a shell",
        "help": "show the help of a command",
    }
)
"""Each command, which is also the name of its module, with its line in the help; in the order of the help."""


class Command(Protocol):
    """The module of a command."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add description, epilog and arguments."""

    def run(self, arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
        """Execute the command."""


def load_command(name: str) -> Command:
    """Import the module of a command."""
    return cast(Command, importlib.import_module(f"pf_exporter.commands.{name}"))


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Formats help in lines of at most 100 characters, and keeps the line breaks of its texts."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34, width=100)


class Parser(argparse.ArgumentParser):
    """A parser that reports a mistake in one line, with a suggestion, and exits with code 2.

    That of a ``command`` imports the command's module when it is first used.
    """

    def __init__(self, command: str = "", **options: Any) -> None:
        super().__init__(**options, formatter_class=HelpFormatter, allow_abbrev=False, add_help=False)
        self.add_argument("-h", "--help", action="help", help="Show this help and exit.")
        self.command = command
        """The command, or an empty text for the exporter itself."""
        self._configured = False

    def configure(self) -> None:
        """Add the arguments, if that has not been done."""
        if not self._configured:
            self._configured = True
            load_command(self.command or DEFAULT_COMMAND).configure(self)

    def error(self, message: str) -> NoReturn:
        """Print the mistake in one line, and exit."""
        _, missing, names = message.partition("arguments are required: ")
        if missing:
            message = f"{names} is missing; see {self.prog} --help"
        echo_error(message.removeprefix("argument "))
        raise SystemExit(ExitCode.BAD_CONFIG)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse a whole command line; exit if a word is left over."""
        arguments, extra = self.parse_known_args(args, namespace)
        if extra:
            parser = create_command_parser(arguments.command)
            self.error(unexpected_argument(extra[0], parser.flags, f"{parser.prog} --help"))
        return arguments

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse the arguments, as argparse does when the command is chosen."""
        self.configure()
        self._check_words(list(args))
        return super().parse_known_args(args, namespace)

    def _check_words(self, words: list[str]) -> None:
        scan = scan_words(words, self._option_string_actions, stop_at_command=not self.command)
        help = f"{self.prog} --help"
        if scan.problem:
            self.error(scan.problem)
        if scan.unknown:
            elsewhere = [] if self.command else _commands_with(scan.unknown.partition("=")[0])
            self.error(unknown_flag(scan.unknown, self.flags, elsewhere, help))
        if scan.command and scan.command not in COMMANDS:
            self.error(unknown_command(scan.command, COMMANDS, self.flags))

    @property
    def actions(self) -> Sequence[argparse.Action]:
        """The actions of argparse, in the order of the help, without former flags."""
        self.configure()
        return [action for action in self._actions if not is_former_flag(action)]

    @property
    def flags(self) -> list[str]:
        """Every form of every flag, without former flags."""
        return [flag for action in self.actions for flag in action.option_strings]


def create_command_parser(name: str) -> Parser:
    """The parser of one command."""
    return Parser(name, prog=f"{PROGRAM} {name}")


def _commands_with(flag: str) -> list[str]:
    return [name for name in COMMANDS if flag in create_command_parser(name).flags]


def create_parser() -> Parser:
    """The parser of the whole command line: the exporter's flags, and the commands.

    The namespace holds the name of the chosen command as ``command``, or None.
    """
    parser = Parser(prog=PROGRAM, usage="%(prog)s [FLAG ...] [COMMAND]")
    parser.configure()
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", prog=PROGRAM, parser_class=Parser
    )
    for name, help in COMMANDS.items():
        commands.add_parser(name, help=help, command=name)
    return parser


def add_settings(
    parser: argparse.ArgumentParser,
    shown: Mapping[str, str] = MappingProxyType({}),
    *,
    from_environment: bool = True,
) -> dict[str, argparse.Action]:
    """Let a command take every flag of the exporter, and return the actions of settings by flag.

    Help names only --config.file and the settings in ``shown``, which gives the command's default by key;
    ``from_environment`` is whether the command also reads the environment.
    """
    parser.description = (
        f"{parser.description}\n\nAlso takes every flag of pf-exporter; see pf-exporter --help."
    )
    return add_flags(parser, of_command=True, shown=shown, from_environment=from_environment)
