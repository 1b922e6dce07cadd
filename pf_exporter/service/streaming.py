"""The streams of all accounts, for as long as a command runs."""

from __future__ import annotations

import dataclasses
import threading

from pf_exporter.config import ActivitySettings, Config
from pf_exporter.process import SignalWaiter
from pf_exporter.service.pipeline import AccountPipeline, ProcessorFactory
from pf_exporter.service.shutdown import stop_all
from pf_exporter.service.storage import create_store
from pf_exporter.state import AccountStats


class StreamRunner:
    """Runs the pipelines of all accounts; the options go to :class:`AccountPipeline`."""

    def __init__(
        self,
        config: Config,
        signals: SignalWaiter,
        *,
        create_processor: ProcessorFactory,
        subscription_uuid: str | None = None,
    ) -> None:
        self._signals = signals
        # Commands show what is streamed and listed, and nothing else.
        config = dataclasses.replace(config, activity=ActivitySettings(catch_up=0))
        self.failure: BaseException | None = None
        """The exception that ended a thread."""
        self.store = create_store(config)
        self.pipelines: dict[str, AccountPipeline] = {}
        """By account."""
        for account in config.accounts:
            self.pipelines[account.name] = AccountPipeline(
                account,
                config,
                self.store,
                self._fail,
                create_processor=create_processor,
                subscription_uuid=subscription_uuid,
                polled=(),
            )

    @property
    def stats(self) -> list[AccountStats]:
        """The statistics of every account."""
        return [pipeline.stats for pipeline in self.pipelines.values()]

    @property
    def event_count(self) -> int:
        """Events received so far."""
        return sum(sum(stats.events.values()) for stats in self.stats)

    def _fail(self, exc: BaseException) -> None:
        self.failure = exc
        self._signals.end()

    def run(self, duration: float | None) -> None:
        """Stream until a signal arrives, a thread fails, or ``duration`` seconds have passed."""
        self.start()
        if duration is not None:
            timer = threading.Timer(duration, self._signals.end)
            timer.daemon = True
            timer.start()
        self._signals.wait()
        self.stop()

    def start(self) -> None:
        """Start to stream."""
        for pipeline in self.pipelines.values():
            pipeline.start()

    def stop(self) -> None:
        """End every stream and session."""
        stop_all([pipeline.stop for pipeline in self.pipelines.values()])
