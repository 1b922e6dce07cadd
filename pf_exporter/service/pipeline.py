"""One account's pipeline: from PacketFabric's API into the store."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from pf_exporter.activity import ActivityCounter, ActivityLedger, CatchUp
from pf_exporter.config import Account, Config, StreamSettings
from pf_exporter.inventory import InventoryPoller
from pf_exporter.log import Logger
from pf_exporter.packetfabric import Client, SessionManager, SessionStats
from pf_exporter.schema import PolledResource
from pf_exporter.service.shutdown import STOP_TIMEOUT
from pf_exporter.state import AccountStats, Store
from pf_exporter.stream import EventProcessor, EventSink, StreamReader, Subscription

log = Logger(__name__)


class ProcessorFactory(Protocol):
    """Creates the sink of an account's events, as :class:`EventProcessor` is constructed."""

    def __call__(
        self,
        store: Store,
        stats: AccountStats,
        *,
        activity: ActivityCounter,
        wall: Callable[[], float],
    ) -> EventSink:
        """Create the sink."""


class ReaderFactory(Protocol):
    """Creates the reader of an account's stream, as :class:`StreamReader` is constructed."""

    def __call__(
        self,
        subscription: Subscription,
        session_manager: SessionManager,
        sink: EventSink,
        stats: AccountStats,
        settings: StreamSettings,
        *,
        on_failure: Callable[[BaseException], None],
    ) -> StreamReader:
        """Create the reader."""


def pipeline_settings(account: Account, config: Config) -> tuple[object, ...]:
    """The settings that a pipeline depends on; a reload replaces the pipeline if they have changed."""
    return account, config.stream, config.inventory, config.activity, config.units, config.series.limit


def _account_stats(account: Account, config: Config, session: SessionStats) -> AccountStats:
    return AccountStats(
        account, idle_timeout=config.stream.idle_timeout, session=session, rate_unit=config.units.rates
    )


def _ledger(config: Config, previous: AccountPipeline | None) -> ActivityLedger | None:
    """Return the memory of an account's activity log; None if only what is streamed counts."""
    if not config.activity.catch_up:
        return None
    return (None if previous is None else previous.ledger) or ActivityLedger()


class AccountPipeline:
    """Session, subscription, stream and inventory of one account, which must already be in the store.

    ``on_failure`` is called with the exception if one of the threads dies. ``subscription_uuid`` names an
    existing subscription to read instead of a new one; ``wall`` is the clock for arrival times, in UNIX
    seconds; ``polled`` are the resources to poll beside the lists of circuits, by default all enabled ones.
    ``previous`` is the account's previous pipeline, which must have been stopped before the start: this one
    takes over its gaps and its part of the activity log.
    """

    def __init__(
        self,
        account: Account,
        config: Config,
        store: Store,
        on_failure: Callable[[BaseException], None],
        *,
        create_processor: ProcessorFactory = EventProcessor,
        create_session_manager: Callable[[Client, str], SessionManager] = SessionManager,
        create_reader: ReaderFactory = StreamReader,
        subscription_uuid: str | None = None,
        wall: Callable[[], float] = time.time,
        polled: tuple[PolledResource, ...] | None = None,
        previous: AccountPipeline | None = None,
    ) -> None:
        self.settings = pipeline_settings(account, config)
        self.account = account.name
        self._selected = account.selected_circuits
        self._absent: list[str] = []
        self.client = Client(account, idle_timeout=config.stream.idle_timeout)
        self.session_manager = create_session_manager(self.client, account.name)
        self.stats = _account_stats(account, config, self.session_manager.stats)
        self.subscription = Subscription(
            account,
            self.client,
            self.session_manager,
            on_subscribe=self._subscribed,
            existing=subscription_uuid,
        )
        self.inventory = InventoryPoller(
            account.name,
            self.client,
            self.session_manager,
            config.inventory,
            limit=account.series_limit or config.series.limit,
            on_failure=on_failure,
            on_update=self._inventory_updated,
            polled=polled,
        )
        self._previous = previous
        self.ledger = _ledger(config, previous)
        self.activity = ActivityCounter(self.stats, fields=config.log.activity_fields, ledger=self.ledger)
        self._catch_up = CatchUp(
            self.client,
            self.session_manager,
            self.activity,
            self.stats,
            at_start=config.activity.catch_up,
            on_failure=on_failure,
        )
        self.processor = create_processor(store, self.stats, activity=self.activity, wall=wall)
        self.reader = create_reader(
            self.subscription,
            self.session_manager,
            self.processor,
            self.stats,
            config.stream,
            on_failure=on_failure,
        )

    def _subscribed(self, subscription_uuid: str) -> None:
        self.stats.subscribed(subscription_uuid)
        self.inventory.refresh()

    def _inventory_updated(self, circuits: frozenset[str]) -> None:
        self.subscription.update_inventory(circuits)
        absent = self.inventory.snapshot.absent(self._selected)
        if absent and absent != self._absent:
            log.warning(
                "selected circuits are not in this account",
                account=self.account,
                circuits=", ".join(absent),
                remedy="correct ifds and vcs: circuits of other accounts send no events",
            )
        self._absent = absent

    def start(self) -> None:
        """Start to log in, subscribe and read, and to poll the inventory."""
        if self._previous is not None:
            self._take_over(self._previous)
            self._previous = None
        self.activity.start()
        self._catch_up.start()
        self.reader.start()
        self.inventory.start()

    def _take_over(self, previous: AccountPipeline) -> None:
        self.stats.take_over(previous.stats)
        self._catch_up.take_over(previous._catch_up)

    def stop(self) -> bool:
        """End the stream and the session; return whether nothing will be written to the store any more."""
        self.reader.stop()
        self.inventory.stop()
        self._catch_up.stop()
        self.client.abort()
        ended = self.reader.join(STOP_TIMEOUT)
        self.inventory.join(STOP_TIMEOUT)
        self._catch_up.join(STOP_TIMEOUT)
        self.session_manager.close()
        return ended


class PipelineFactory(Protocol):
    """Creates an account's pipeline, as :class:`AccountPipeline` is constructed."""

    def __call__(
        self,
        account: Account,
        config: Config,
        store: Store,
        on_failure: Callable[[BaseException], None],
        *,
        create_processor: ProcessorFactory,
        previous: AccountPipeline | None,
    ) -> AccountPipeline:
        """Create the pipeline."""
