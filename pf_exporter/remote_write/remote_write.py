"""All endpoints together: rows of the stream as they are written, other metrics every 15 seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from pf_exporter.config import RemoteWriteSettings
from pf_exporter.log import Logger
from pf_exporter.remote_write.endpoint import Endpoint
from pf_exporter.remote_write.series import Collected, RowItem, Sample
from pf_exporter.schema import EventType
from pf_exporter.state import Row
from pf_exporter.supervised_thread import SupervisedThread

INTERVAL = 15.0
"""Seconds between two samples of the metrics that no event carries."""

log = Logger(__name__)

SampleSource = Callable[[], Iterable[Sample]]
"""Returns the present samples of some metrics."""


class RemoteWrite:
    """Hands rows and samples to every endpoint that wants them; is the store's :class:`RowSink`.

    ``interval`` is the time between two samples of the metrics that no event carries, in seconds. Raises
    :class:`ConfigError` if a spool cannot be used.
    """

    def __init__(
        self,
        settings: Sequence[RemoteWriteSettings],
        instance: str,
        on_failure: Callable[[BaseException], None],
        *,
        interval: float = INTERVAL,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._sources: Mapping[str, SampleSource] = {}
        self._interval = interval
        self._wall = wall
        self._stopping = threading.Event()
        self.endpoints = tuple(Endpoint(row, instance, on_failure, wall=wall) for row in settings)
        self._offers = [row.offer for row in self.endpoints if "stream" in row.settings.send]
        self._ticker = SupervisedThread(self._run, name="collect remote write", on_failure=on_failure)

    def write_row(self, account: str, event: EventType, circuit: tuple[str, ...], row: Row) -> None:
        """Hand a row to the endpoints; never waits."""
        item = RowItem(account, event, circuit, row)
        for offer in self._offers:
            offer(item)

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            self.collect()

    def collect(self) -> None:
        """Collect the metrics that no event carries, once for all endpoints."""
        ms = round(self._wall() * 1000)
        wanted = {kind for endpoint in self.endpoints for kind in endpoint.settings.send}
        samples = {kind: list(source()) for kind, source in self._sources.items() if kind in wanted}
        for endpoint in self.endpoints:
            own = [sample for kind in endpoint.settings.send for sample in samples.get(kind, ())]
            endpoint.offer(Collected(own, ms))

    def start(self, sources: Mapping[str, SampleSource]) -> None:
        """Start the threads.

        ``sources`` are the samples that are sent at intervals, by the item of ``send`` that asks for them.
        """
        self._sources = sources
        for endpoint in self.endpoints:
            endpoint.start()
            log.info("remote write started", endpoint=endpoint.name)
        self._ticker.start()

    def stop(self) -> None:
        """Send what waits and stale markers, all endpoints at the same time, and end the threads."""
        self._stopping.set()
        self._ticker.join(1.0)
        threads = [threading.Thread(target=endpoint.stop, daemon=True) for endpoint in self.endpoints]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
