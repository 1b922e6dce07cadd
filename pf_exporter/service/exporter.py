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

from pf_exporter.config import Config
from pf_exporter.errors import ConfigError
from pf_exporter.log import Logger
from pf_exporter.metrics import ExporterCollector, Exposition, InventoryCollector, of_config, of_web_config
from pf_exporter.recording import RecordingWriter, redaction
from pf_exporter.server import Server, WebConfigReloader, guard
from pf_exporter.service.pipeline import STOP_WITHIN, AccountPipeline, settings_key
from pf_exporter.state import Store
from pf_exporter.stream import EventProcessor
from pf_exporter.web import StatusContext, create_app, page_routes

RESPONSE_TIMEOUT = 120.0
"""Seconds for a page to be made, sent and read."""
RESTART_ONLY = ("counters", "web", "record", "log")
"""Sections that only a restart changes."""

log = Logger(__name__)


class CollectorGroup(AnyCollector):
    """Collectors that a reload exchanges for others, all at once."""

    def __init__(self) -> None:
        self.parts: tuple[InventoryCollector | ExporterCollector, ...] = ()

    def collect(self) -> Iterator[Metric]:
        """What all of them have."""
        for part in self.parts:
            yield from part.collect()


def stop_all(stops: Sequence[Callable[[], bool | None]]) -> list[bool]:
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


def _recorder(config: Config) -> RecordingWriter | None:
    record = config.record
    if not record.file:
        return None
    hide = redaction(config.accounts) if record.redact else None
    return RecordingWriter(record.file, limit=record.limit, kept=record.kept, redaction=hide)


class Exporter:
    """Everything that runs. ``ended`` is called when a thread dies that the others cannot do without.

    ``source`` reads the configuration again for a reload; ``pipeline`` creates an account's pipeline, called
    like :class:`AccountPipeline`; ``wall`` is the clock for arrival times, in UNIX seconds.
    """

    def __init__(
        self,
        config: Config,
        *,
        ended: Callable[[], None] = lambda: None,
        source: Callable[[], Config] | None = None,
        pipeline: Callable[..., AccountPipeline] = AccountPipeline,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._ended = ended
        self._source = source or (lambda: config)
        self._reloading = threading.Lock()
        self._stopped = False
        self.failed = False
        self.config = config
        self.reading = of_config()
        self.reading.succeeded()
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
        self._new_pipeline = functools.partial(
            pipeline, processor=functools.partial(EventProcessor, recorder=self.recorder)
        )
        self.pipelines = [
            self._new_pipeline(account, config, self.store, self._fail) for account in config.accounts
        ]
        self._collectors = CollectorGroup()
        self._collect()
        web_reading = of_web_config()
        reloader = WebConfigReloader(config.web.config_file, web_reading)
        others = CollectorRegistry(auto_describe=False)
        others.register(self._collectors)
        others.register(self.reading)
        others.register(web_reading)
        if not config.web.disable_exporter_metrics:
            for collector in (ProcessCollector, PlatformCollector, GCCollector):
                collector(registry=others)
        self._readings = {"configuration": self.reading, "web configuration": web_reading}
        site = create_app(
            Exposition(self.store, others),
            telemetry_path=config.web.telemetry_path,
            healthy=lambda: not self.failed,
            pages=page_routes(
                self._view,
                ready=lambda: all(pipeline.stats.connects for pipeline in self.pipelines),
                reload=self.reload if config.web.enable_lifecycle else None,
            ),
        )
        self.server = Server(
            guard(site, reloader, max_requests=config.web.max_requests, open_health=config.web.open_health),
            config.web.listen_address,
            name="web",
            on_failure=self._fail,
            reloader=reloader,
            response_timeout=RESPONSE_TIMEOUT,
        )

    def _collect(self) -> None:
        inventories = [pipeline.inventory for pipeline in self.pipelines]
        self._collectors.parts = (
            InventoryCollector(inventories, self.store, self.config.inventory.description_tags),
            ExporterCollector(pipeline.stats for pipeline in self.pipelines),
        )

    def _view(self) -> StatusContext:
        histories = [pipeline.stats for pipeline in self.pipelines]
        snapshots = {pipeline.account: pipeline.inventory.snapshot for pipeline in self.pipelines}
        return StatusContext(self.config, self.store, histories, snapshots, self._readings)

    def reload(self) -> None:
        """Read the configuration again, and change what is not as it says; any thread may.

        Raises :class:`ConfigError` if it cannot be used; then everything stays as it is.
        """
        with self._reloading:
            try:
                config = self._source()
            except ConfigError as exc:
                self.reading.failed(exc.problems)
                log.error("configuration not reloaded", error="; ".join(exc.problems))
                raise
            if not self._stopped:
                self._change(config)

    def _change(self, config: Config) -> None:
        before, old = self.pipelines, self.config
        fixed = [section for section in RESTART_ONLY if getattr(config, section) != getattr(old, section)]
        if fixed:
            log.warning("sections not reloaded: restart for them", sections=" ".join(fixed))
        config = dataclasses.replace(config, **{section: getattr(old, section) for section in RESTART_ONLY})
        present = {pipeline.account: pipeline for pipeline in before}
        pipelines = []
        for account in config.accounts:
            pipeline = present.get(account.name)
            if pipeline is None:
                self.store.add_account(account.name)
            if pipeline is None or pipeline.settings_key != settings_key(account, config):
                pipeline = self._new_pipeline(account, config, self.store, self._fail)
            pipelines.append(pipeline)
        gone = [pipeline for pipeline in before if pipeline not in pipelines]
        ended = stop_all([pipeline.stop for pipeline in gone])
        self.config, self.pipelines = config, pipelines
        self.store.ttl, self.store.limit = config.series.ttl, config.series.limit
        self._collect()
        names = {pipeline.account for pipeline in pipelines}
        for pipeline, has_ended in zip(gone, ended, strict=True):
            if pipeline.account not in names and has_ended:
                self.store.remove_account(pipeline.account)
        new = [pipeline for pipeline in pipelines if pipeline not in before]
        for pipeline in new:
            pipeline.start()
        self.reading.succeeded()
        log.info(
            "configuration reloaded", kept=len(pipelines) - len(new), started=len(new), stopped=len(gone)
        )

    def _fail(self, exc: BaseException | None = None) -> None:
        self.failed = True
        self._ended()

    def start(self) -> None:
        """Serve pages first, so that a scrape can see why there is no data yet; then connect."""
        self.server.start()
        for pipeline in self.pipelines:
            pipeline.start()

    def stop(self) -> None:
        """End every stream, every session and the pages, all at once and within a bound."""
        self._stopped = True
        stop_all([self.server.stop, *(pipeline.stop for pipeline in self.pipelines)])
        if self.recorder is not None:
            self.recorder.close()

    def __enter__(self) -> Exporter:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
