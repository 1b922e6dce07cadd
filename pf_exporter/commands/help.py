"""``help``: the help of the exporter, or of a command."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from pf_exporter.command_line import COMMANDS, create_command_parser, create_parser, unknown_command
from pf_exporter.errors import ConfigError
from pf_exporter.process import ExitCode, echo


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = "Show the help of a command; without one, that of the exporter with its flags."
    parser.add_argument("topic", metavar="COMMAND", nargs="?", help="The command.")


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Print the help."""
    if arguments.topic and arguments.topic not in COMMANDS:
        raise ConfigError([unknown_command(arguments.topic, COMMANDS)])
    parser = create_command_parser(arguments.topic) if arguments.topic else create_parser()
    parser.configure()
    echo(parser.format_help().rstrip())
    return ExitCode.OK
