"""Without a command: the exporter itself, or a check of its configuration."""

from __future__ import annotations

import argparse
import gc
import signal
import sys
from collections.abc import Mapping

from pf_exporter import __version__
from pf_exporter.build_info import revision
from pf_exporter.config import FILE_VARIABLE, Config, add_flags, load
from pf_exporter.process import ExitCode, echo

DESCRIPTION = """\
Prometheus exporter for PacketFabric's Streaming Events API.

Without a command: log in, subscribe, read the event stream, and serve metrics on /metrics.
The account comes from the environment (PF_TOKEN, or PF_USER and PF_PASSWORD; PF_HOST),
or several accounts from a file (--config.file). Boolean flags have a --no- form.
"""

EPILOG = """\
examples:
  PF_TOKEN=... pf-exporter              export an account, on port 10054
  pf-exporter --config.file pf.yaml     export the accounts of a file
  pf-exporter --config.check            check the configuration, without connecting
  pf-exporter check                     check the configuration against the API, step by step
  pf-exporter demo                      try it without an account

exit codes: 0 stopped on request, 1 unexpected error, 2 unusable configuration, 8 cannot listen;
those of check and tail: pf-exporter check --help
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add description and flags; the parser is that of the whole command line."""
    parser.description = DESCRIPTION
    parser.epilog = EPILOG
    add_flags(parser)


def _check(config: Config) -> ExitCode:
    for warning in config.warnings:
        echo(f"warning: {warning}")
    names = ", ".join(account.name for account in config.accounts)
    echo(f"The configuration is good. Accounts: {names}.")
    return ExitCode.OK


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> ExitCode:
    """Export the configured accounts, or only check the configuration (--config.check)."""
    from pf_exporter.command_line import log_warnings, web_config_problems

    config = load(arguments, environ, check_web_config=web_config_problems)
    if arguments.config_check:
        return _check(config)
    # Imported here: the parser of every command needs this module. Without the collector, which would find no
    # garbage among modules, a start takes a sixth less CPU time; later collections skip what is frozen.
    gc.disable()
    from pf_exporter.log import Logger, configure_logging
    from pf_exporter.process import TERMINATION, SignalWaiter
    from pf_exporter.service import serve

    gc.freeze()
    gc.enable()
    configure_logging(config.log.level, config.log.format)
    Logger(__name__).info(
        "starting pf_exporter",
        version=__version__,
        revision=revision() or "unknown",
        python=sys.version.split()[0],
        config_file=arguments.config_file or environ.get(FILE_VARIABLE) or "none",
        web_config_file=config.web.config_file or "none",
        accounts=",".join(account.name for account in config.accounts),
    )
    log_warnings(config)
    return serve(
        config, SignalWaiter(*TERMINATION, signal.SIGHUP), lambda: load(arguments, environ, refuse_empty=True)
    )
