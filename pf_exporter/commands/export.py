"""Without a command: the exporter itself."""

from __future__ import annotations

import argparse
import contextlib
import platform
import signal
import threading
from collections.abc import Callable, Mapping

from pf_exporter import __version__
from pf_exporter.commands.common import DIED, OK, echo
from pf_exporter.commands.signals import SignalWaiter
from pf_exporter.config import Config, load
from pf_exporter.errors import ConfigError
from pf_exporter.log import Logger, configure_logging
from pf_exporter.server import WebConfigReloader
from pf_exporter.service import Exporter

TERMINATION = (signal.SIGTERM, signal.SIGINT)

log = Logger(__name__)


def _reload(exporter: Exporter) -> None:
    with contextlib.suppress(ConfigError):  # It is in the log, and shown in a metric.
        exporter.reload()


def serve(config: Config, signals: SignalWaiter, source: Callable[[], Config] | None = None) -> int:
    """Run the exporter until a signal or a bug ends it; at SIGHUP ``source`` gives the configuration anew."""
    exporter = Exporter(config, on_failure=signals.end, source=source)
    with exporter:
        log.info("listening", addresses=" ".join(exporter.server.addresses), accounts=len(config.accounts))
        while signals.wait() == signal.SIGHUP:
            # On a thread: reloading waits for streams to end, and SIGTERM must not.
            threading.Thread(target=_reload, args=(exporter,), name="reload", daemon=True).start()
    log.info("stopped")
    return DIED if exporter.failed else OK


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Export the configured accounts, or only say whether the configuration is good."""
    config = load(arguments, environ)
    if arguments.config_check:
        WebConfigReloader(config.web.config_file)
        for warning in config.warnings:
            echo(f"warning: {warning}")
        names = ", ".join(account.name for account in config.accounts)
        echo(f"The configuration is good. Accounts: {names}.")
        return OK
    configure_logging(config.log.level, config.log.format)
    log.info("starting pf_exporter", version=__version__, python=platform.python_version())
    for warning in config.warnings:
        log.warning("configuration", warning=warning)
    return serve(config, SignalWaiter(*TERMINATION, signal.SIGHUP), lambda: load(arguments, environ))
