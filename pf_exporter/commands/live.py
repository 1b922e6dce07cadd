"""The accounts' streams for as long as a command wants them, into an intake of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pf_exporter.feed import Feed
from pf_exporter.intake import Intake
from pf_exporter.settings import Config
from pf_exporter.signals import Signals
from pf_exporter.store import Store


class Live:
    """The chains of parts of all accounts; ``intake`` and ``bundle`` are as :class:`Feed` has them."""

    def __init__(
        self, config: Config, signals: Signals, *, intake: Callable[..., Intake], bundle: str | None = None
    ) -> None:
        self._signals = signals
        self.failure: BaseException | None = None
        """What a thread has died of."""
        store = Store(ttl=config.series.ttl, limit=config.series.limit)
        self.feeds: dict[str, Feed] = {}
        """By account."""
        for account in config.accounts:
            store.add_account(account.name)
            feed = Feed(account, config, store, self._fail, intake=intake, bundle=bundle)
            self.feeds[account.name] = feed

    def _fail(self, exc: BaseException) -> None:
        self.failure = exc
        self._signals.end()

    def run(self, duration: float | None) -> None:
        """Stream until a signal comes, a thread dies, or so many seconds are over."""
        for feed in self.feeds.values():
            feed.start()
        if duration is not None:
            timer = threading.Timer(duration, self._signals.end)
            timer.daemon = True
            timer.start()
        self._signals.wait()
        for feed in self.feeds.values():
            feed.stop()
