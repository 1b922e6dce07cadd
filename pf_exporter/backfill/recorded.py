"""The samples of a recording, as the exporter would have exported them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pf_exporter.backfill.request import BackfillRequest
from pf_exporter.backfill.time_range import TimeSpan
from pf_exporter.errors import ConfigError, EventError
from pf_exporter.packetfabric import MAX_EVENT_BYTES, read_events
from pf_exporter.recording import Mark, Record, is_redacted, read
from pf_exporter.schema import FamilySpec, MetricType, Observation, RateUnit, bytes_to_bits, decode

Samples = list[tuple[FamilySpec, tuple[str, ...], float, float]]


def _skip(error: EventError) -> None:
    """Leave out an event that the parser rejects."""


def observation_samples(account: str, observation: Observation, at: float, *, with_counters: bool) -> Samples:
    """Return the samples of an event: family, label values, UNIX seconds, value in the family's unit."""
    families = observation.event.fields.values()
    lanes: list[tuple[str, ...]] = [(lane,) for lane in observation.lanes] or [()]
    width = len(families)
    samples: Samples = []
    for index, lane in enumerate(lanes):
        values = observation.values[index * width : (index + 1) * width]
        for family, value in zip(families, values, strict=False):
            if value is not None and (with_counters or family.type is MetricType.GAUGE):
                labels = (account, *observation.circuit, *lane)
                samples.append((family, labels, at, value / family.divisor))
    return samples


def check_recording(path: str) -> None:
    """Raise :class:`ConfigError` if a file is no recording, or a redacted one."""
    if is_redacted(path):
        problem = f"{path}: the recording is redacted: its circuit IDs are pseudonyms"
        raise ConfigError([f"{problem}; record with --no-record.redact"])


class RecordedSamples:
    """Reads a recording.

    ``delta`` are the events whose counters are differences: their totals depend on when the exporter was
    started, so they are left out.
    """

    def __init__(
        self,
        path: str,
        request: BackfillRequest,
        delta: Collection[str],
        rate_unit: RateUnit,
    ) -> None:
        self._rate_unit = rate_unit
        self._path = path
        self._request = request
        self._delta = frozenset(delta)
        self._pending: dict[str, bytearray] = {}
        self._spans: dict[str, list[TimeSpan]] = {}

    def read(self) -> Iterator[Samples]:
        """Yield the samples of each record. Raises :class:`ConfigError` if it is no recording."""
        for record in read(self._path):
            samples = self._record(record)
            if samples:
                yield samples

    def _record(self, record: Record) -> Samples:
        pending = self._pending.setdefault(record.account, bytearray())
        if record.mark is not None:
            if record.mark is Mark.ENDED:
                pending.clear()
            return []
        pending += record.frame
        if not pending.endswith((b"\n", b"\r")) and len(pending) <= 2 * MAX_EVENT_BYTES:
            return []
        block = bytes(pending)
        pending.clear()
        samples: Samples = []
        for event in read_events(iter([block]), _skip):
            try:
                decoded = decode(event.event, event.data)
            except EventError:
                continue
            if isinstance(decoded, Observation):
                if self._rate_unit is RateUnit.BYTES:
                    decoded = bytes_to_bits(decoded)
                samples += self._samples(record, decoded)
        return samples

    def _samples(self, record: Record, observation: Observation) -> Samples:
        at = record.at if observation.timestamp is None else observation.timestamp
        account = record.account
        if account not in self._spans:
            self._spans[account] = self._request.spans(account)
        if not any(span.start <= at < span.end for span in self._spans[account]):
            return []
        if not self._request.matches(*observation.circuit[:2]):
            return []
        with_counters = observation.event.name not in self._delta
        return observation_samples(account, observation, at, with_counters=with_counters)
