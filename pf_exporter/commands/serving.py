"""The exporter, run until a signal or an unexpected error ends it."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import Protocol

from pf_exporter.commands.exit_code import ExitCode
from pf_exporter.commands.signals import SignalWaiter
from pf_exporter.config import Config
from pf_exporter.errors import ConfigError
from pf_exporter.log import Logger
from pf_exporter.service import Exporter

log = Logger(__name__)


class ConfigSource(Protocol):
    """Reads the configuration again."""

    def __call__(self) -> Config:
        """The configuration; raises :class:`ConfigError`."""


def _reload(exporter: Exporter) -> None:
    with contextlib.suppress(ConfigError):  # Logged, and shown by a metric.
        exporter.reload()


def log_listening(exporter: Exporter) -> None:
    """Log where the pages are."""
    log.info(
        "listening",
        addresses=" ".join(exporter.server.addresses),
        tls="on" if exporter.server.has_tls else "off",
        accounts=len(exporter.config.accounts),
    )


def serve(config: Config, signals: SignalWaiter, source: ConfigSource | None = None) -> ExitCode:
    """Run the exporter; on SIGHUP reload the configuration from ``source``."""
    exporter = Exporter(config, on_failure=signals.end, source=source)
    with exporter:
        log_listening(exporter)
        while signals.wait() == signal.SIGHUP:
            # On another thread: a reload waits for streams to end, and SIGTERM must not wait for a reload.
            threading.Thread(target=_reload, args=(exporter,), name="reload", daemon=True).start()
    log.info("stopped")
    return ExitCode.FAILED if exporter.failed else ExitCode.OK
