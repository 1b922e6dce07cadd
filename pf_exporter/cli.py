"""The command line: finds the command, runs it, leaves with the right exit code."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence

from pf_exporter import __version__
from pf_exporter.build_info import revision
from pf_exporter.commands import check, demo, export, health, record, replay, simulate, tail
from pf_exporter.commands.common import BAD_CONFIG, OK, TAKEN, HelpFormatter, echo
from pf_exporter.config import add_flags
from pf_exporter.errors import CannotListen, ConfigError

COMMANDS = (check, tail, record, replay, demo, simulate, health)
"""In the order of the help."""

_DESCRIPTION = """\
Prometheus exporter for PacketFabric's Streaming Events API.

Without a command: log in, subscribe, read the event stream, and serve it on /metrics.
The account comes from the environment (PF_TOKEN, or PF_USER and PF_PASSWORD; PF_HOST)
or, where there are several, from a file (--config.file).
"""

_EPILOG = """\
examples:
  PF_TOKEN=... pf-exporter              export an account, on port 10054
  pf-exporter --config.file pf.yaml     export the accounts of a file
  pf-exporter --config.check            say whether the configuration can be used
  pf-exporter check                     try the configuration against the API, step by step
  pf-exporter demo                      see it work, without an account

exit codes: 0 stopped as asked, 1 died of a fault of its own, 2 unusable configuration,
8 cannot listen; those of check and tail: pf-exporter check --help
"""


def parser() -> argparse.ArgumentParser:
    """The command line: the exporter's own flags, and the commands."""
    top = argparse.ArgumentParser(
        "pf-exporter", description=_DESCRIPTION, epilog=_EPILOG, formatter_class=HelpFormatter
    )
    add_flags(top)
    top.set_defaults(run=export.run)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for command in COMMANDS:
        command.add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the process's exit code."""
    arguments = parser().parse_args(argv)
    if arguments.version:
        commit = f"revision {revision()}, " if revision() else ""
        echo(f"pf_exporter {__version__} ({commit}Python {platform.python_version()})")
        return OK
    try:
        code: int = arguments.run(arguments, os.environ)
    except ConfigError as exc:
        for problem in exc.problems:
            print(f"pf-exporter: {problem}", file=sys.stderr)
        return TAKEN if isinstance(exc, CannotListen) else BAD_CONFIG
    return code
