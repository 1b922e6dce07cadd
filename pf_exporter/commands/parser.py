"""The parser of every command, completed when the command is chosen."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol, cast

from pf_exporter.commands.exit_code import ExitCode
from pf_exporter.config import add_flags

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "check": "check the configuration against the API, step by step",
        "tail": "show live events in the terminal",
        "top": "show a live table of the busiest circuits",
        "record": "record the streams to a file",
        "replay": "run the exporter on a recording",
        "demo": "run the exporter on a simulated PacketFabric",
        "simulate": "run a simulated PacketFabric",
        "health": "ask the running exporter whether it is healthy",
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


class CommandParser(argparse.ArgumentParser):
    """The parser of one command; imports the command's module when it is first used."""

    def __init__(self, command: str, **options: Any) -> None:
        super().__init__(**options, formatter_class=HelpFormatter, allow_abbrev=False)
        self._command = command
        self._configured = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Parse the arguments, as argparse does when the command is chosen."""
        if not self._configured:
            self._configured = True
            load_command(self._command).configure(self)
        return super().parse_known_args(args, namespace)


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add every command; the namespace holds the name of the chosen command as ``command``, or None."""
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", parser_class=CommandParser
    )
    for name, help in COMMANDS.items():
        commands.add_parser(name, help=help, command=name)


def add_settings(
    parser: argparse.ArgumentParser, shown: Mapping[str, str] = MappingProxyType({})
) -> dict[str, argparse.Action]:
    """Let a command take every flag of the exporter, and return the actions of settings by flag.

    Help names only --config.file and the settings in ``shown``, which gives the command's default by key.
    """
    parser.description = (
        f"{parser.description}\n\nTakes every flag of pf-exporter, too; see pf-exporter --help."
    )
    return add_flags(parser, of_command=True, shown=shown)
