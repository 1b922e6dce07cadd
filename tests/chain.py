"""One account's chain of parts, as the service builds it, with waits short enough for tests."""

from __future__ import annotations

from types import TracebackType

from pf_exporter.config.accounts import Account
from pf_exporter.config.settings import StreamSettings
from pf_exporter.packetfabric.backoff import Backoff
from pf_exporter.packetfabric.client import Client
from pf_exporter.packetfabric.session import SessionManager
from pf_exporter.state.stats import AccountStats
from pf_exporter.state.store import Store
from pf_exporter.stream.processor import EventProcessor
from pf_exporter.stream.reader import StreamReader
from pf_exporter.stream.subscription import Subscription
from tests.conftest import until

SETTINGS = StreamSettings(idle_timeout=0.6, rotate_after=0, backoff_min=0.02, backoff_max=0.1)


class Chain:
    """Login, subscription, stream and store of one account; starts and stops with ``with``."""

    def __init__(
        self,
        account: Account,
        *,
        settings: StreamSettings = SETTINGS,
        schedule: Backoff | None = None,
        good_life: float = 60.0,
        ttl: float = 600.0,
        delta: tuple[str, ...] = (),
    ) -> None:
        self.deaths: list[BaseException] = []
        self.store = Store(ttl=ttl, limit=100_000, delta=delta)
        self.store.add_account(account.name)
        self.stats = AccountStats(account, idle_timeout=settings.idle_timeout)
        self.client = Client(account, idle_timeout=settings.idle_timeout)
        schedule = schedule or Backoff(0.05, 0.2)
        self.session_manager = SessionManager(self.client, self.stats, schedule=schedule)
        self.subscription = Subscription(account, self.client, self.session_manager)
        self.reader = StreamReader(
            self.subscription,
            self.session_manager,
            EventProcessor(self.store, self.stats),
            self.stats,
            settings,
            failed=self.deaths.append,
            good_life=good_life,
            linger=0.05,
        )

    @property
    def taken(self) -> int:
        """Events taken so far."""
        return sum(self.stats.events.values())

    def wait_for_events(self, number: int) -> None:
        """Wait until so many events have been taken in all."""
        until(lambda: self.taken >= number, f"{number} events, with {self.taken} taken")

    def __enter__(self) -> Chain:
        self.reader.start()
        return self

    def stop(self) -> None:
        self.reader.stop()
        self.client.abort()
        assert self.reader.join(2.0), "the reader's thread has not ended"
        self.session_manager.close()

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        assert kind is not None or not self.deaths, self.deaths
