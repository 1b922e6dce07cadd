"""One account's way from the API into the store: its chain of parts."""

from __future__ import annotations

from collections.abc import Callable

from pf_exporter.config import Account, Config
from pf_exporter.inventory import InventoryPoller
from pf_exporter.packetfabric import Client, SessionManager
from pf_exporter.state import AccountHistory, Store
from pf_exporter.stream import EventProcessor, StreamReader, Subscription

STOP_WITHIN = 1.5
"""Seconds for an account to end its stream and session."""


def settings_key(account: Account, config: Config) -> tuple[object, ...]:
    """The settings that a feed is built from: while they are equal it need not be built anew."""
    return account, config.stream, config.inventory, config.series.limit


class AccountPipeline:
    """One account's way from the API into the store, which knows the account.

    ``processor`` makes what takes the events, as :class:`EventProcessor` is made; ``bundle`` is the UUID of a
    subscription that exists already, where none is to be made.
    """

    def __init__(
        self,
        account: Account,
        config: Config,
        store: Store,
        failed: Callable[[BaseException], None],
        *,
        processor: Callable[..., EventProcessor] = EventProcessor,
        bundle: str | None = None,
    ) -> None:
        idle_timeout = config.stream.idle_timeout
        self.settings_key = settings_key(account, config)
        self.account = account.name
        self.stats = AccountHistory(account, idle_timeout=idle_timeout)
        self._client = Client(account, idle_timeout=idle_timeout)
        self._session_manager = SessionManager(self._client, self.stats)
        subscription = Subscription(
            account, self._client, self._session_manager, subscribed=self._subscribed, existing=bundle
        )
        self.inventory = InventoryPoller(
            account.name,
            self._client,
            self._session_manager,
            config.inventory,
            limit=config.series.limit,
            failed=failed,
            on_update=subscription.saw,
        )
        self.processor = processor(store, self.stats, activity_fields=config.log.activity_fields)
        self._reader = StreamReader(
            subscription,
            self._session_manager,
            self.processor,
            self.stats,
            config.stream,
            failed=failed,
        )

    def _subscribed(self, bundle: str) -> None:
        self.stats.bundle = bundle
        self.inventory.refresh()

    def start(self) -> None:
        """Begin to log in, subscribe and read; and to look at the inventory."""
        self._reader.start()
        self.inventory.start()

    def stop(self) -> bool:
        """End the stream and the session; whether nothing will be written any more."""
        self._reader.stop()
        self.inventory.stop()
        self._client.abort()
        ended = self._reader.join(STOP_WITHIN)
        self.inventory.join(STOP_WITHIN)
        self._session_manager.close()
        return ended
