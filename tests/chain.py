"""One account's pipeline as the service builds it, with waits short enough for tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import TracebackType
from unittest.mock import patch

from pf_exporter.config.accounts import Account
from pf_exporter.config.settings import Config, InventorySettings, StreamSettings
from pf_exporter.packetfabric.backoff import Backoff
from pf_exporter.packetfabric.session import SessionManager
from pf_exporter.packetfabric.sse import ServerSentEvent
from pf_exporter.service.pipeline import AccountPipeline, ProcessorFactory
from pf_exporter.state.store import Store
from pf_exporter.stream.drain import DrainLimits
from pf_exporter.stream.processor import EventProcessor
from pf_exporter.stream.reader import StreamReader
from pf_exporter.stream.retry import RetrySchedule
from tests.conftest import until

DRAIN = DrainLimits(overlap=0.05, quiet=0.2, deadline=60.0)
PATIENT_DRAIN = DrainLimits(overlap=0.05, quiet=10.0, deadline=60.0)
"""For streams with events all the time: those show that the old stream has caught up."""
SETTINGS = StreamSettings(idle_timeout=10.0, rotate_after=0, backoff_min=0.02, backoff_max=0.1)
"""No stream is idle for so long, even on a busy machine."""
SHORT_SILENCE = replace(SETTINGS, idle_timeout=4.0)
"""For tests of streams that send nothing."""


class Chain:
    """An account's pipeline, by default without its inventory, and its store; runs inside ``with``."""

    def __init__(
        self,
        account: Account,
        *,
        settings: StreamSettings = SETTINGS,
        schedule: Backoff | None = None,
        healthy_after: float = 60.0,
        drain: DrainLimits = DRAIN,
        ttl: float = 600.0,
        delta: tuple[str, ...] = (),
        create_processor: ProcessorFactory = EventProcessor,
        config: Config | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.failures: list[BaseException] = []
        self.store = Store(ttl=ttl, limit=100_000, delta=delta)
        self.store.add_account(account.name)
        config = config or Config((account,), inventory=InventorySettings(interval=0.0))
        config = replace(config, stream=settings)
        self._pipeline = AccountPipeline(
            account,
            config,
            self.store,
            self.failures.append,
            create_processor=create_processor,
            wall=wall,
            create_session_manager=partial(
                SessionManager, schedule=schedule or Backoff(0.05, 0.2), wall=wall
            ),
            create_reader=partial(
                StreamReader, retry=RetrySchedule(settings, healthy_after=healthy_after), drain=drain
            ),
        )
        self.processed = 0
        """Events processed so far."""
        process = self._pipeline.processor.process

        def counted(event: ServerSentEvent) -> None:
            process(event)
            self.processed += 1

        self._pipeline.processor.process = counted  # type: ignore[method-assign]
        self.stats = self._pipeline.stats
        self.inventory = self._pipeline.inventory
        self.session_manager = self._pipeline.session_manager
        self.subscription = self._pipeline.subscription

    def wait_for_events(self, number: int) -> None:
        """Wait until so many events have been processed in total."""
        until(lambda: self.processed >= number, f"{number} events, with {self.processed} processed")

    def __enter__(self) -> Chain:
        self._pipeline.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Longer than the exporter waits, because the machine may pause; less than the deadline of a request.
        with patch("pf_exporter.service.pipeline.STOP_TIMEOUT", 20.0):
            assert self._pipeline.stop(), "the reader's thread has not ended"
        assert kind is not None or not self.failures, self.failures
