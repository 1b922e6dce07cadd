"""One account's way from the API into the store: its chain of parts."""

from __future__ import annotations

from collections.abc import Callable

from pf_exporter.api import Client
from pf_exporter.intake import Intake
from pf_exporter.inventory import Inventory
from pf_exporter.session import SessionKeeper
from pf_exporter.settings import Account, Config
from pf_exporter.store import Store
from pf_exporter.stream import Reader
from pf_exporter.subscription import Subscription
from pf_exporter.web.chronicle import Chronicle

STOP_WITHIN = 1.5
"""Seconds for an account to end its stream and session."""


def basis(account: Account, config: Config) -> tuple[object, ...]:
    """The settings that a feed is built from: while they are equal it need not be built anew."""
    return account, config.stream, config.inventory, config.series.limit


class Feed:
    """One account's way from the API into the store, which knows the account.

    ``intake`` makes what takes the events, as :class:`Intake` is made; ``bundle`` is the UUID of a
    subscription that exists already, where none is to be made.
    """

    def __init__(
        self,
        account: Account,
        config: Config,
        store: Store,
        failed: Callable[[BaseException], None],
        *,
        intake: Callable[..., Intake] = Intake,
        bundle: str | None = None,
    ) -> None:
        idle_timeout = config.stream.idle_timeout
        self.basis = basis(account, config)
        self.account = account.name
        self.telemetry = Chronicle(account, idle_timeout=idle_timeout)
        self._client = Client(account, idle_timeout=idle_timeout)
        self._keeper = SessionKeeper(self._client, self.telemetry)
        subscription = Subscription(
            account, self._client, self._keeper, subscribed=self._subscribed, existing=bundle
        )
        self.inventory = Inventory(
            account.name,
            self._client,
            self._keeper,
            config.inventory,
            limit=config.series.limit,
            failed=failed,
            looked=subscription.saw,
        )
        self.intake = intake(store, self.telemetry, activity_fields=config.log.activity_fields)
        self._reader = Reader(
            subscription,
            self._keeper,
            self.intake,
            self.telemetry,
            config.stream,
            failed=failed,
        )

    def _subscribed(self, bundle: str) -> None:
        self.telemetry.bundle = bundle
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
        self._keeper.close()
        return ended
