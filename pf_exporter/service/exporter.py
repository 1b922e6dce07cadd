"""The exporter as a whole: a pipeline per account, the store they share, and the pages."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from types import TracebackType

from pf_exporter.config import Account, Config
from pf_exporter.errors import ConfigError
from pf_exporter.log import Logger
from pf_exporter.metrics import (
    Exposition,
    RecordingCollector,
    RemoteStorageCollector,
    config_reload_status,
    web_config_reload_status,
)
from pf_exporter.server import Server, WebConfigReloader, check_web_config, guard
from pf_exporter.service.collectors import Collectors
from pf_exporter.service.fixed_sections import with_fixed_sections
from pf_exporter.service.pipeline import AccountPipeline, PipelineFactory, pipeline_settings
from pf_exporter.service.sending import create_remote_write
from pf_exporter.service.shutdown import stop_all
from pf_exporter.service.storage import create_recorder, create_store
from pf_exporter.stream import EventProcessor
from pf_exporter.web import StatusSources, create_app, page_routes

RESPONSE_TIMEOUT = 120.0
"""Seconds to render, send and read a page."""

log = Logger(__name__)


class Exporter:
    """Runs all pipelines and the server.

    ``on_failure`` is called when an essential thread dies; ``on_progress`` once a second, by the event loop
    that serves the pages, as long as every reader makes progress. ``source`` reads the configuration for a
    reload. ``wall`` is the clock of remote write, in UNIX seconds.
    """

    def __init__(
        self,
        config: Config,
        *,
        on_failure: Callable[[], None] = lambda: None,
        on_progress: Callable[[], None] = lambda: None,
        source: Callable[[], Config] | None = None,
        create_pipeline: PipelineFactory = AccountPipeline,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._on_failure = on_failure
        self._on_progress = on_progress
        self._source = source or (lambda: config)
        self._create_pipeline = create_pipeline
        self._reloading = threading.Lock()
        self._lifecycle = threading.Lock()
        """Held to replace and start pipelines, so that :meth:`stop` stops every pipeline that was started."""
        self._stopped = False
        self.failed = False
        self.config = config
        self.remote_write = create_remote_write(config, self._fail, wall)
        self.store = create_store(config, self.remote_write)
        self.recorder = create_recorder(config)
        self.pipelines = [self._new_pipeline(account, config, None) for account in config.accounts]
        self.reload_status = config_reload_status()
        self.reload_status.succeeded()
        self._web_reload_status = web_config_reload_status()
        recording = RecordingCollector(None if self.recorder is None else self.recorder.stats)
        sending = RemoteStorageCollector(() if self.remote_write is None else self.remote_write.endpoints)
        self._collectors = Collectors(
            config, self.store, (self.reload_status, self._web_reload_status, recording, sending)
        )
        self._collectors.update(config, self.pipelines)
        self.server = self._create_server(config)

    def _create_server(self, config: Config) -> Server:
        reloader = WebConfigReloader(config.web.config_file, self._web_reload_status)
        app = create_app(
            Exposition(self.store, self._collectors.registry, event_timestamps=config.web.event_timestamps),
            telemetry_path=config.web.telemetry_path,
            problem=self.problem,
            pages=page_routes(
                self.status,
                ready=lambda: all(pipeline.stats.connects for pipeline in self.pipelines),
                reload=self.reload if config.web.enable_lifecycle else None,
            ),
        )
        return Server(
            guard(app, reloader, max_requests=config.web.max_requests, open_health=config.web.open_health),
            config.web.listen_address,
            name="web",
            on_failure=self._fail,
            reloader=reloader,
            response_timeout=RESPONSE_TIMEOUT,
            systemd_socket=config.web.systemd_socket,
            tick=self._tick,
        )

    def _new_pipeline(self, account: Account, config: Config, old: AccountPipeline | None) -> AccountPipeline:
        create = functools.partial(EventProcessor, recorder=self.recorder)
        return self._create_pipeline(
            account, config, self.store, self._fail, create_processor=create, previous=old
        )

    def status(self) -> StatusSources:
        """Return the sources of the status page."""
        pipelines = self.pipelines  # A reload may replace the list.
        return StatusSources(
            self.config,
            self.store,
            [pipeline.stats for pipeline in pipelines],
            {pipeline.account: pipeline.inventory for pipeline in pipelines},
            {"configuration": self.reload_status, "web configuration": self._web_reload_status},
            () if self.remote_write is None else self.remote_write.endpoints,
        )

    def reload(self) -> None:
        """Read the configuration again and apply what has changed; any thread may call it.

        Raises :class:`ConfigError` if it or the web configuration cannot be used; then nothing changes.
        """
        with self._reloading:
            try:
                self._reload()
            except ConfigError:
                raise
            except BaseException as exc:
                self._fail(exc)  # An account may have been stopped, and nothing else would start it again.
                raise

    def _reload(self) -> None:
        try:
            config = self._source()
            check_web_config(config.web.config_file, has_tls=self.server.has_tls)
        except ConfigError as exc:
            self.reload_status.failed(exc.problems)
            log.error("configuration not reloaded", error="; ".join(exc.problems))
            raise
        self._apply(with_fixed_sections(config, self.config))

    def _apply(self, config: Config) -> None:
        before = {pipeline.account: pipeline for pipeline in self.pipelines}
        after = []
        for account in config.accounts:
            pipeline = before.get(account.name)
            if pipeline is None and account.name not in self.store.series():
                self.store.add_account(account.name, account.series_limit)
            if pipeline is None or pipeline.settings != pipeline_settings(account, config):
                pipeline = self._new_pipeline(account, config, pipeline)
            after.append(pipeline)
        removed = [pipeline for pipeline in before.values() if pipeline not in after]
        added = [pipeline for pipeline in after if pipeline not in before.values()]
        stop_all([pipeline.stop for pipeline in removed])
        with self._lifecycle:
            if self._stopped:
                raise ConfigError(["the exporter is stopping"])
            self.config, self.pipelines = config, after
            self.store.ttl = config.series.ttl
            self.store.set_limits(
                config.series.limit, {account.name: account.series_limit for account in config.accounts}
            )
            self._collectors.update(config, after)
            for pipeline in added:
                pipeline.start()
        for pipeline in removed:
            self._remove_account(pipeline)
        self.reload_status.succeeded()
        log.info(
            "configuration reloaded",
            kept=len(after) - len(added),
            started=len(added),
            stopped=len(removed),
        )

    def _remove_account(self, pipeline: AccountPipeline) -> None:
        """Remove the account of a stopped pipeline from the store, as soon as nothing writes it any more."""

        def remove() -> None:
            pipeline.reader.join(None)
            with self._lifecycle:
                present = {pipeline.account for pipeline in self.pipelines}
                if pipeline.account not in present and pipeline.account in self.store.series():
                    self.store.remove_account(pipeline.account)

        if pipeline.reader.join(0.0):
            remove()
        else:
            log.warning("thread of a removed account has not ended yet", account=pipeline.account)
            threading.Thread(target=remove, name=f"remove {pipeline.account}", daemon=True).start()

    def problem(self) -> str:
        """Why the exporter has to be restarted; empty while it works, whatever the API does."""
        if self.failed:
            return "A thread has died; the log names it."
        stuck = [pipeline.account for pipeline in self.pipelines if pipeline.reader.is_stuck]
        if stuck:
            return f"The thread that reads the stream makes no progress: account {', '.join(stuck)}."
        return ""

    def _tick(self) -> None:
        problem = self.problem()
        if problem:
            log.warning_throttled("unhealthy", "unhealthy", problem=problem)
        else:
            self._on_progress()

    def _fail(self, exc: BaseException | None = None) -> None:
        self.failed = True
        self._on_failure()

    def start(self) -> None:
        """Serve the pages first, so that a scrape can see why there is no data yet; then connect."""
        with self._reloading:  # A reload through the pages has to wait until the pipelines run.
            self.server.start()
            if self.remote_write is not None:
                self.remote_write.start(self._collectors.sources())
            for pipeline in self.pipelines:
                pipeline.start()

    def stop(self) -> None:
        """End every stream and session and the pages, all at once and within ``STOP_TIMEOUT``.

        Then send what remote write still has to send, which takes a few seconds if the receiver is slow.
        """
        with self._lifecycle:
            self._stopped = True
            pipelines = self.pipelines
        stop_all([self.server.stop, *(pipeline.stop for pipeline in pipelines)])
        if self.remote_write is not None:
            self.remote_write.stop()
        if self.recorder is not None:
            self.recorder.close(quickly=True)

    def __enter__(self) -> Exporter:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
