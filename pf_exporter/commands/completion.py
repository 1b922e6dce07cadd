"""``completion``: the completion script of a shell."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from pf_exporter.command_line import one_of
from pf_exporter.process import ExitCode, echo

SHELLS = ("bash", "zsh", "fish")

EPILOG = """\
examples:
  source <(pf-exporter completion bash)
  pf-exporter completion bash > /etc/bash_completion.d/pf-exporter
  pf-exporter completion zsh > "${fpath[1]}/_pf-exporter"
  pf-exporter completion fish > ~/.config/fish/completions/pf-exporter.fish
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and arguments."""
    parser.description = "Print the script that completes commands, flags and their values in a shell."
    parser.epilog = EPILOG
    parser.add_argument(
        "shell", metavar="SHELL", type=one_of(*SHELLS), choices=SHELLS, help="The shell: bash, zsh or fish."
    )


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Print the script."""
    from pf_exporter.command_line import SCRIPTS

    echo(SCRIPTS[arguments.shell]().rstrip())
    return ExitCode.OK
