"""Collects the samples of a request in a spool, from the API's history or from a recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from pf_exporter.backfill.catalog import CircuitHistory, find_histories
from pf_exporter.backfill.history_reader import HistoryReader
from pf_exporter.backfill.recorded import RecordedSamples, Samples
from pf_exporter.backfill.request import BackfillRequest
from pf_exporter.backfill.running_exporter import ExportedLabels
from pf_exporter.backfill.spool import Spool
from pf_exporter.backfill.time_range import TimeSpan, requests
from pf_exporter.errors import Forbidden, Rejected
from pf_exporter.log import Logger
from pf_exporter.schema import RateUnit, parse_history

RECORDS_PER_COMMIT = 1000

log = Logger(__name__)


class HistoryCollector:
    """Reads histories, request by request; one that was read before is not read again.

    ``readers`` are the accounts' readers by name.
    """

    def __init__(
        self,
        readers: Sequence[tuple[str, HistoryReader]],
        request: BackfillRequest,
        spool: Spool,
        exported: ExportedLabels,
        *,
        with_connections: bool,
        rate_unit: RateUnit,
    ) -> None:
        self._rate_unit = rate_unit
        self._readers = readers
        self._request = request
        self._spool = spool
        self._exported = exported
        self._with_connections = with_connections
        self.total = 0
        """Requests for histories; 0 until the lists have been read."""
        self.done = 0
        self.refused = 0
        """Requests that were refused: no permission, or no such history."""

    def collect(self) -> None:
        """Collect everything. Raises :class:`~pf_exporter.errors.ExporterError`."""
        tasks = [task for account, reader in self._readers for task in self._tasks(account, reader)]
        self.total = len(tasks)
        for reader, history, span in tasks:
            self._read(reader, history, span)
            self.done += 1

    def _tasks(
        self, account: str, reader: HistoryReader
    ) -> Iterator[tuple[HistoryReader, CircuitHistory, TimeSpan]]:
        spans = self._request.spans(account)
        if not spans:
            return
        histories = find_histories(
            account, reader, self._request, self._exported, with_connections=self._with_connections
        )
        for history in histories:
            for span in spans:
                for part in requests(span):
                    yield reader, history, part

    def _read(self, reader: HistoryReader, history: CircuitHistory, span: TimeSpan) -> None:
        task = f"{history.account} {history.path} {span.start:.0f} {span.end:.0f}"
        if self._spool.is_done(task):
            return
        try:
            rows = reader.read_history(history.path, span)
        except (Forbidden, Rejected) as exc:
            self.refused += 1
            log.warning_throttled(
                "refused", "history not available", every=float("inf"), account=history.account, error=exc
            )
            return
        self._spool.add(
            task,
            (
                (
                    sample.column.family,
                    (history.account, *history.circuit, *sample.column.labels),
                    sample.at,
                    sample.value,
                )
                for sample in parse_history(history.resource, rows, self._rate_unit)
                if span.start <= sample.at < span.end
            ),
        )


class RecordingCollector:
    """Reads a recording from its start; what is already in the spool is replaced."""

    total = 0
    refused = 0

    def __init__(self, recorded: RecordedSamples, spool: Spool) -> None:
        self._recorded = recorded
        self._spool = spool
        self.done = 0
        """Records with samples."""

    def collect(self) -> None:
        """Collect everything. Raises :class:`~pf_exporter.errors.ConfigError`."""
        records = self._recorded.read()
        while block := list(islice(records, RECORDS_PER_COMMIT)):
            samples: Samples = [sample for samples in block for sample in samples]
            self._spool.add("", samples)
            self.done += len(block)
