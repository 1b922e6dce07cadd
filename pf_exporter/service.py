"""The exporter as a whole: every account's chain of parts, the store they share, and the pages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from pf_exporter.api import Client
from pf_exporter.exposition import Exposition
from pf_exporter.intake import Intake
from pf_exporter.inventory import Inventory
from pf_exporter.logs import Logger
from pf_exporter.nameplates import Nameplates
from pf_exporter.session import SessionKeeper
from pf_exporter.settings import Account, Config
from pf_exporter.store import Store
from pf_exporter.stream import Reader
from pf_exporter.subscription import Subscription
from pf_exporter.telemetry import AccountTelemetry, Telemetry
from pf_exporter.web import app
from pf_exporter.web.server import Server

STOP_WITHIN = 1.5
"""Seconds for all accounts to end their streams and sessions."""

log = Logger(__name__)


class Feed:
    """One account's way from the API into the store."""

    def __init__(
        self, account: Account, config: Config, store: Store, failed: Callable[[BaseException], None]
    ) -> None:
        idle_timeout = config.stream.idle_timeout
        self.telemetry = AccountTelemetry(account, idle_timeout=idle_timeout)
        self._client = Client(account, idle_timeout=idle_timeout)
        self._keeper = SessionKeeper(self._client, self.telemetry)
        subscription = Subscription(
            account, self._client, self._keeper, subscribed=lambda: self.inventory.refresh()
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
        self._reader = Reader(
            subscription,
            self._keeper,
            Intake(store, self.telemetry),
            self.telemetry,
            config.stream,
            failed=failed,
        )
        store.add_account(account.name)

    def start(self) -> None:
        """Begin to log in, subscribe and read; and to look at the inventory."""
        self._reader.start()
        self.inventory.start()

    def stop(self) -> None:
        """End the stream and the session."""
        self._reader.stop()
        self.inventory.stop()
        self._client.abort()
        self._reader.join(STOP_WITHIN)
        self.inventory.join(STOP_WITHIN)
        self._keeper.close()


class Exporter:
    """Everything that runs. ``ended`` is called when a thread dies that the others cannot do without."""

    def __init__(self, config: Config, *, ended: Callable[[], None] = lambda: None) -> None:
        self._ended = ended
        self.failed = False
        counters = {
            "port|errors": config.counters.port_errors,
            "port|etherstats": config.counters.port_etherstats,
        }
        self.store = Store(
            ttl=config.series.ttl,
            limit=config.series.limit,
            delta=[event for event, kind in counters.items() if kind == "delta"],
        )
        self.feeds = [Feed(account, config, self.store, self._fail) for account in config.accounts]
        others = CollectorRegistry(auto_describe=False)
        inventories = [feed.inventory for feed in self.feeds]
        others.register(Nameplates(inventories, self.store, config.inventory.description_tags))
        others.register(Telemetry(feed.telemetry for feed in self.feeds))
        if not config.web.disable_exporter_metrics:
            for collector in (ProcessCollector, PlatformCollector, GCCollector):
                collector(registry=others)
        self.server = Server(
            app.create(
                Exposition(self.store, others),
                telemetry_path=config.web.telemetry_path,
                healthy=lambda: not self.failed,
            ),
            config.web.listen_address,
            name="web",
            died=self._fail,
        )

    def _fail(self, exc: BaseException | None = None) -> None:
        self.failed = True
        self._ended()

    def start(self) -> None:
        """Serve pages first, so that a scrape can see why there is no data yet; then connect."""
        self.server.start()
        for feed in self.feeds:
            feed.start()

    def stop(self) -> None:
        """End every stream, every session and the pages, all at once and within a bound."""
        ends = [self.server.stop, *(feed.stop for feed in self.feeds)]
        threads = [threading.Thread(target=end, daemon=True) for end in ends]
        for thread in threads:
            thread.start()
        until = time.monotonic() + STOP_WITHIN
        for thread in threads:
            thread.join(max(until - time.monotonic(), 0.0))

    def __enter__(self) -> Exporter:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
