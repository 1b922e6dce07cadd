"""The exporter as a whole: every account's chain of parts, the store they share, and the pages."""

from __future__ import annotations

import dataclasses
import functools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector as AnyCollector

from pf_exporter.errors import ConfigError
from pf_exporter.exposition import Exposition
from pf_exporter.feed import STOP_WITHIN, Feed, basis
from pf_exporter.intake import Intake
from pf_exporter.logs import Logger
from pf_exporter.nameplates import Nameplates
from pf_exporter.recorder import Recorder
from pf_exporter.redaction import Redaction
from pf_exporter.settings import Account, Config
from pf_exporter.store import Store
from pf_exporter.telemetry import Telemetry
from pf_exporter.web import app, pages
from pf_exporter.web.gate import guard
from pf_exporter.web.policy import Policy
from pf_exporter.web.readings import of_config
from pf_exporter.web.server import Server
from pf_exporter.web.status import View

ANSWER_WITHIN = 120.0
"""Seconds for a page to be made, sent and read."""
FIXED = ("counters", "web", "record", "log")
"""Sections that only a restart changes."""

log = Logger(__name__)


class _Together(AnyCollector):
    """Collectors that a reload exchanges for others, all at once."""

    def __init__(self) -> None:
        self.parts: tuple[Nameplates | Telemetry, ...] = ()

    def collect(self) -> Iterator[Metric]:
        """What all of them have."""
        for part in self.parts:
            yield from part.collect()


def _all_at_once(stops: Sequence[Callable[[], bool | None]]) -> list[bool]:
    """Call each on a thread of its own; which of them said within ``STOP_WITHIN`` that they have ended."""
    ended = [False] * len(stops)

    def run(index: int) -> None:
        ended[index] = bool(stops[index]())

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(len(stops))]
    for thread in threads:
        thread.start()
    until = time.monotonic() + STOP_WITHIN
    for thread in threads:
        thread.join(max(until - time.monotonic(), 0.0))
    return list(ended)


def redaction(accounts: Sequence[Account]) -> Redaction:
    """A redaction that numbers the accounts in their order, from one run to the next."""
    made = Redaction()
    for account in accounts:
        made.account(account.name)
    return made


def _recorder(config: Config) -> Recorder | None:
    record = config.record
    if not record.file:
        return None
    hide = redaction(config.accounts) if record.redact else None
    return Recorder(record.file, limit=record.limit, kept=record.kept, redaction=hide)


class Exporter:
    """Everything that runs. ``ended`` is called when a thread dies that the others cannot do without.

    ``source`` gives the configuration anew when it is to be reloaded; ``feed`` makes an account's chain of
    parts, as :class:`Feed` is made; ``wall`` tells when an event came, in UNIX seconds.
    """

    def __init__(
        self,
        config: Config,
        *,
        ended: Callable[[], None] = lambda: None,
        source: Callable[[], Config] | None = None,
        feed: Callable[..., Feed] = Feed,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._ended = ended
        self._source = source or (lambda: config)
        self._reloading = threading.Lock()
        self._stopped = False
        self.failed = False
        self.config = config
        self.reading = of_config()
        self.reading.good()
        counters = {
            "port|errors": config.counters.port_errors,
            "port|etherstats": config.counters.port_etherstats,
        }
        self.store = Store(
            ttl=config.series.ttl,
            limit=config.series.limit,
            delta=[event for event, kind in counters.items() if kind == "delta"],
            wall=wall,
        )
        for account in config.accounts:
            self.store.add_account(account.name)
        self.recorder = _recorder(config)
        self._new_feed = functools.partial(feed, intake=functools.partial(Intake, recorder=self.recorder))
        self.feeds = [self._new_feed(account, config, self.store, self._fail) for account in config.accounts]
        self._collectors = _Together()
        self._collect()
        policy = Policy(config.web.config_file)
        others = CollectorRegistry(auto_describe=False)
        others.register(self._collectors)
        others.register(self.reading)
        others.register(policy.reading)
        if not config.web.disable_exporter_metrics:
            for collector in (ProcessCollector, PlatformCollector, GCCollector):
                collector(registry=others)
        self._readings = {"configuration": self.reading, "web configuration": policy.reading}
        site = app.create(
            Exposition(self.store, others),
            telemetry_path=config.web.telemetry_path,
            healthy=lambda: not self.failed,
            pages=pages.routes(
                self._view,
                ready=lambda: all(feed.telemetry.connects for feed in self.feeds),
                reload=self.reload if config.web.enable_lifecycle else None,
            ),
        )
        self.server = Server(
            guard(site, policy, config.web),
            config.web.listen_address,
            name="web",
            died=self._fail,
            policy=policy,
            answer_within=ANSWER_WITHIN,
        )

    def _collect(self) -> None:
        inventories = [feed.inventory for feed in self.feeds]
        self._collectors.parts = (
            Nameplates(inventories, self.store, self.config.inventory.description_tags),
            Telemetry(feed.telemetry for feed in self.feeds),
        )

    def _view(self) -> View:
        chronicles = [feed.telemetry for feed in self.feeds]
        snapshots = {feed.account: feed.inventory.snapshot for feed in self.feeds}
        return View(self.config, self.store, chronicles, snapshots, self._readings)

    def reload(self) -> None:
        """Read the configuration again, and change what is not as it says; any thread may.

        Raises :class:`ConfigError` if it cannot be used; then everything stays as it is.
        """
        with self._reloading:
            try:
                config = self._source()
            except ConfigError as exc:
                self.reading.bad(exc.problems)
                log.error("configuration not reloaded", error="; ".join(exc.problems))
                raise
            if not self._stopped:
                self._change(config)

    def _change(self, config: Config) -> None:
        before, old = self.feeds, self.config
        fixed = [section for section in FIXED if getattr(config, section) != getattr(old, section)]
        if fixed:
            log.warning("sections not reloaded: restart for them", sections=" ".join(fixed))
        config = dataclasses.replace(config, **{section: getattr(old, section) for section in FIXED})
        present = {feed.account: feed for feed in before}
        feeds = []
        for account in config.accounts:
            feed = present.get(account.name)
            if feed is None:
                self.store.add_account(account.name)
            if feed is None or feed.basis != basis(account, config):
                feed = self._new_feed(account, config, self.store, self._fail)
            feeds.append(feed)
        gone = [feed for feed in before if feed not in feeds]
        ended = _all_at_once([feed.stop for feed in gone])
        self.config, self.feeds = config, feeds
        self.store.ttl, self.store.limit = config.series.ttl, config.series.limit
        self._collect()
        names = {feed.account for feed in feeds}
        for feed, has_ended in zip(gone, ended, strict=True):
            if feed.account not in names and has_ended:
                self.store.remove_account(feed.account)
        new = [feed for feed in feeds if feed not in before]
        for feed in new:
            feed.start()
        self.reading.good()
        log.info("configuration reloaded", kept=len(feeds) - len(new), started=len(new), stopped=len(gone))

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
        self._stopped = True
        _all_at_once([self.server.stop, *(feed.stop for feed in self.feeds)])
        if self.recorder is not None:
            self.recorder.close()

    def __enter__(self) -> Exporter:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
