"""The command line as data: what each command takes, for completion scripts and the man page."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from pf_exporter.command_line.parser import COMMANDS, Parser, create_command_parser, create_parser
from pf_exporter.schema import EVENT_NAMES
from pf_exporter.simulator import FAULTS, MAINTENANCES

FILES = ("FILE", "PATH")
"""The metavars of arguments that are files."""

VALUES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "--event": tuple(EVENT_NAMES),
        "--fault": tuple(FAULTS),
        "--maintenance": tuple(MAINTENANCES),
        "topic": tuple(COMMANDS),
    }
)
"""The values of an argument, where its metavar does not list them; by its flag or its name."""


class Argument(NamedTuple):
    """A flag of a command, or a positional argument, which has no ``flags``."""

    flags: tuple[str, ...]
    metavar: str
    """The name of the value; empty for a flag that takes none."""
    values: tuple[str, ...]
    """What the value can be; empty if it can be anything."""
    help: str
    is_repeatable: bool
    is_inherited: bool
    """Whether it is a flag of the exporter that a command takes, too."""

    @property
    def is_file(self) -> bool:
        """Whether the value is the path of a file."""
        return self.metavar in FILES

    @property
    def summary(self) -> str:
        """The first sentence of the help, without its period."""
        return self.help.partition(". ")[0].rstrip(".")


class Synopsis(NamedTuple):
    """A command, or the exporter itself, whose ``name`` is empty."""

    name: str
    summary: str
    description: str
    epilog: str
    arguments: tuple[Argument, ...]

    @property
    def flags(self) -> tuple[Argument, ...]:
        """The flags of this command alone."""
        return tuple(one for one in self.arguments if one.flags and not one.is_inherited)

    @property
    def inherited(self) -> tuple[Argument, ...]:
        """The flags of the exporter that the command takes, too."""
        return tuple(argument for argument in self.arguments if argument.is_inherited)

    @property
    def positional(self) -> tuple[Argument, ...]:
        """The arguments that are not flags."""
        return tuple(argument for argument in self.arguments if not argument.flags)


def _values(action: argparse.Action, metavar: str) -> tuple[str, ...]:
    if action.choices is not None:
        return tuple(map(str, action.choices))
    for name in (*action.option_strings, action.dest):
        if name in VALUES:
            return VALUES[name]
    return tuple(metavar.split("|")) if "|" in metavar else ()


def _help(action: argparse.Action) -> str:
    if action.help not in (None, argparse.SUPPRESS):
        return str(action.help).replace("%%", "%")
    if not action.option_strings:
        return ""
    flag = action.option_strings[0]
    return f"Turns {flag.replace('--no-', '--')} off." if flag.startswith("--no-") else ""


def _argument(action: argparse.Action, inherited: Mapping[str, Argument]) -> Argument:
    metavar = "" if action.nargs == 0 else str(action.metavar or action.dest)
    known = next((inherited[flag] for flag in action.option_strings if flag in inherited), None)
    return Argument(
        tuple(action.option_strings),
        metavar,
        _values(action, metavar),
        _help(action) or (known.help if known else ""),
        isinstance(action, argparse._AppendAction),  # noqa: SLF001 - it has no public name
        known is not None,
    )


def _synopsis(parser: Parser, inherited: Mapping[str, Argument]) -> Synopsis:
    parser.configure()
    if "--config.file" not in parser.flags:
        inherited = {}  # A flag of the same name is the command's own.
    return Synopsis(
        parser.command,
        COMMANDS.get(parser.command, ""),
        parser.description or "",
        parser.epilog or "",
        tuple(_argument(action, inherited) for action in parser.actions if action.dest != "command"),
    )


def describe_command_line() -> tuple[Synopsis, ...]:
    """The exporter itself, then every command; ``--help`` is shown in the same order."""
    exporter = _synopsis(create_parser(), {})
    flags = {flag: argument for argument in exporter.arguments for flag in argument.flags if flag != "-h"}
    del flags["--help"]
    return exporter, *(_synopsis(create_command_parser(name), flags) for name in COMMANDS)
