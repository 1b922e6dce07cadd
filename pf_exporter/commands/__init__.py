"""The commands of the command line, one module each.

The module of a command describes its arguments with ``configure`` and executes it with ``run``. Only the
module of the chosen command is imported. Modules that need a library are imported inside ``run``, so that
help and ``health`` start without them.
"""

from __future__ import annotations

from pf_exporter.commands.exit_code import ExitCode
from pf_exporter.commands.output import echo, echo_error
from pf_exporter.commands.parser import DEFAULT_COMMAND, create_parser, load_command

__all__ = ["DEFAULT_COMMAND", "ExitCode", "create_parser", "echo", "echo_error", "load_command"]
