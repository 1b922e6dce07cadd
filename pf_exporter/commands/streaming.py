"""The streams of all accounts, for as long as a command runs."""

from __future__ import annotations

import threading

from pf_exporter.commands.signals import SignalWaiter
from pf_exporter.config import Config
from pf_exporter.service import AccountPipeline, ProcessorFactory, stop_all
from pf_exporter.state import Store


class StreamRunner:
    """Runs the pipelines of all accounts; the options go to :class:`AccountPipeline`."""

    def __init__(
        self,
        config: Config,
        signals: SignalWaiter,
        *,
        create_processor: ProcessorFactory,
        bundle: str | None = None,
    ) -> None:
        self._signals = signals
        self.failure: BaseException | None = None
        """The exception that ended a thread."""
        store = Store(ttl=config.series.ttl, limit=config.series.limit)
        self.pipelines: dict[str, AccountPipeline] = {}
        """By account."""
        for account in config.accounts:
            store.add_account(account.name)
            self.pipelines[account.name] = AccountPipeline(
                account, config, store, self._fail, create_processor=create_processor, bundle=bundle
            )

    def _fail(self, exc: BaseException) -> None:
        self.failure = exc
        self._signals.end()

    def run(self, duration: float | None) -> None:
        """Stream until a signal arrives, a thread fails, or ``duration`` seconds have passed."""
        for pipeline in self.pipelines.values():
            pipeline.start()
        if duration is not None:
            timer = threading.Timer(duration, self._signals.end)
            timer.daemon = True
            timer.start()
        self._signals.wait()
        stop_all([pipeline.stop for pipeline in self.pipelines.values()])
