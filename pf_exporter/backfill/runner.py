"""Runs a backfill on a thread: collect, then deliver."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pf_exporter.backfill.delivery import Importer, write_openmetrics
from pf_exporter.backfill.history_reader import Interrupted
from pf_exporter.backfill.request import BackfillRequest
from pf_exporter.backfill.spool import Spool
from pf_exporter.errors import ExporterError
from pf_exporter.formatting import duration
from pf_exporter.schema import CONNECTION_HISTORY, EVENTS, FamilySpec
from pf_exporter.supervised_thread import SupervisedThread

FAMILIES: dict[str, FamilySpec] = {
    family.name: family
    for family in (
        *(family for event in EVENTS.values() for family in event.fields.values()),
        *(column.family for resource in CONNECTION_HISTORY for column in resource.columns),
    )
}
"""The families that can be filled, by name."""


class Collector(Protocol):
    """Collects samples in the spool."""

    @property
    def total(self) -> int:
        """The number of steps; 0 if it is not known."""

    @property
    def done(self) -> int:
        """The number of steps so far."""

    @property
    def refused(self) -> int:
        """Steps that the API refused."""

    def collect(self) -> None:
        """Collect everything. Raises :class:`~pf_exporter.errors.ExporterError`."""


class BackfillRunner:
    """Collects and delivers on its own thread; ``on_end`` is called there when it has ended."""

    def __init__(
        self,
        request: BackfillRequest,
        spool: Spool,
        collector: Collector,
        on_end: Callable[[], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._request = request
        self._spool = spool
        self._collector = collector
        self._on_end = on_end
        self.error: BaseException | None = None
        """Why it ended early; None if it succeeded, or was interrupted."""
        self.is_complete = False
        self.samples = self.series = 0
        """What was delivered."""
        self._delivered = 0
        self._is_delivering = False
        self._clock = clock
        self._started = clock()
        self._thread = SupervisedThread(self._run, name="backfill", on_failure=self._failed)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self, timeout: float) -> bool:
        """Wait for the thread, at most ``timeout`` seconds; return whether it has ended."""
        return self._thread.join(timeout)

    def progress(self) -> tuple[str, float | None]:
        """Return a text about the progress, and the fraction that is done, or None."""
        if self._is_delivering:
            text = f"{self._delivered:,} of {self.samples:,} samples written"
            return text, self._delivered / max(self.samples, 1)
        done, total = self._collector.done, self._collector.total
        text = f"{self._spool.samples:,} samples"
        if not total:
            return text, None
        left = (self._clock() - self._started) / done * (total - done) if done else 0.0
        time_left = f", {duration(left)} left" if left else ""
        return f"{done:,} of {total:,} requests, {text}{time_left}", done / total

    def _run(self) -> None:
        try:
            self._collector.collect()
            self._deliver()
            self.is_complete = True
        except Interrupted:
            pass
        except ExporterError as exc:
            self.error = exc
        self._on_end()

    def _failed(self, exc: BaseException) -> None:
        self.error = exc
        self._on_end()

    def _deliver(self) -> None:
        self.samples, self.series = self._spool.counts()
        if not self.samples:
            return
        self._is_delivering = True
        if self._request.is_import:
            Importer(self._request.output).send(self._spool, self._count)
        else:
            write_openmetrics(self._spool, Path(self._request.output), FAMILIES, self._count)

    def _count(self, samples: int) -> None:
        self._delivered += samples
