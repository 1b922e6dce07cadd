"""The exporter, run until a signal or an unexpected error ends it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import Protocol

from pf_exporter.config import Config
from pf_exporter.errors import ConfigError
from pf_exporter.log import Logger
from pf_exporter.process import ExitCode, SignalWaiter
from pf_exporter.server import Server, raise_descriptor_limit
from pf_exporter.service.exporter import Exporter
from pf_exporter.service.service_manager import ServiceManager
from pf_exporter.supervised_thread import SupervisedThread

log = Logger(__name__)


class ConfigSource(Protocol):
    """Reads the configuration again."""

    def __call__(self) -> Config:
        """The configuration; raises :class:`ConfigError`."""


class ListeningHook(Protocol):
    """Uses the addresses of the exporter's pages."""

    def __call__(self, server: Server, /) -> None:
        """Called when the server listens, before the accounts connect."""


class _Reloader:
    """Reloads on a separate thread: a reload waits for streams to end, and SIGTERM must not wait for it.

    One reload runs at a time; however many are requested meanwhile, one follows.
    """

    def __init__(self, exporter: Exporter, manager: ServiceManager) -> None:
        self._exporter = exporter
        self._manager = manager
        self._requested = threading.Event()
        # The exporter itself ends after an unexpected exception in a reload.
        SupervisedThread(self._run, name="reload", on_failure=lambda exc: None).start()

    def request(self) -> None:
        """Reload as soon as the present reload, if there is one, has ended."""
        self._requested.set()

    def _run(self) -> None:
        while self._requested.wait():
            self._requested.clear()
            self._manager.reloading()
            with contextlib.suppress(ConfigError):  # Logged, and shown by a metric.
                self._exporter.reload()
            self._manager.ready()


def log_listening(exporter: Exporter) -> None:
    """Log where the pages are."""
    log.info(
        "listening",
        addresses=" ".join(exporter.server.addresses),
        tls="on" if exporter.server.has_tls else "off",
        accounts=len(exporter.config.accounts),
    )


def serve(
    config: Config,
    signals: SignalWaiter,
    source: ConfigSource | None = None,
    *,
    on_listening: ListeningHook = lambda server: None,
) -> ExitCode:
    """Run the exporter; on SIGHUP reload the configuration from ``source``."""
    raise_descriptor_limit()
    manager = ServiceManager(os.environ)
    exporter = Exporter(config, on_failure=signals.end, on_progress=manager.alive, source=source)
    # It listens since it was constructed, and connects inside the block.
    on_listening(exporter.server)
    log_listening(exporter)
    with exporter:
        manager.ready()
        reloader = _Reloader(exporter, manager)
        while signals.wait() == signal.SIGHUP:
            reloader.request()
        manager.stopping()
    log.info("stopped")
    return ExitCode.FAILED if exporter.failed else ExitCode.OK
