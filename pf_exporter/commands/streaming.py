"""The accounts' streams for as long as a command wants them, into an intake of its own."""

from __future__ import annotations

import threading

from pf_exporter.commands.signals import SignalWaiter
from pf_exporter.config import Config
from pf_exporter.service import AccountPipeline, ProcessorFactory
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
        """What a thread has died of."""
        store = Store(ttl=config.series.ttl, limit=config.series.limit)
        self.pipelines: dict[str, AccountPipeline] = {}
        """By account."""
        for account in config.accounts:
            store.add_account(account.name)
            pipeline = AccountPipeline(
                account, config, store, self._fail, create_processor=create_processor, bundle=bundle
            )
            self.pipelines[account.name] = pipeline

    def _fail(self, exc: BaseException) -> None:
        self.failure = exc
        self._signals.end()

    def run(self, duration: float | None) -> None:
        """Stream until a signal comes, a thread dies, or so many seconds are over."""
        for pipeline in self.pipelines.values():
            pipeline.start()
        if duration is not None:
            timer = threading.Timer(duration, self._signals.end)
            timer.daemon = True
            timer.start()
        self._signals.wait()
        for pipeline in self.pipelines.values():
            pipeline.stop()
