"""From rows and metric families to the encoded series of one endpoint, in order and without duplicates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from pf_exporter.remote_write.circuit_series import NAME, CircuitSeries, EventShape
from pf_exporter.remote_write.encoder import (
    MAX_MS,
    MIN_MS,
    STALE,
    encode_labels,
    encode_series,
    encode_timestamp,
    pack_value,
)
from pf_exporter.remote_write.loss import Loss
from pf_exporter.schema import EventType
from pf_exporter.state import Row

MAX_AHEAD_MS = 60_000
"""How far a timestamp may be ahead of this machine's clock: a receiver that takes a sample far in the future
refuses all that follow until that time has come."""


class RowItem(NamedTuple):
    """A row that the store has written; one without values has expired."""

    account: str
    event: EventType
    circuit: tuple[str, ...]
    row: Row


class Sample(Protocol):
    """A sample of a metric family, as prometheus_client has it."""

    @property
    def name(self) -> str:
        """The name on ``/metrics``."""

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels."""

    @property
    def value(self) -> float:
        """The value."""


class Collected(NamedTuple):
    """All samples of the exporter's own and polled metrics at one time."""

    samples: Iterable[Sample]
    ms: int


class SeriesEncoder:
    """Encodes what one endpoint sends; ``labels`` are added where a series does not have them itself.

    ``max_age`` is in seconds. One thread calls.
    """

    def __init__(self, labels: Mapping[str, str], max_age: float) -> None:
        self._labels = dict(labels)
        self._max_age_ms = round(max_age * 1000)
        self._shapes: dict[str, EventShape] = {}
        self._circuits: dict[tuple[str, str, tuple[str, ...]], CircuitSeries] = {}
        self._collected: set[bytes] = set()
        """The labels of the last collected samples, encoded."""
        self._collected_ms = 0

    def check(self, ms: int, now_ms: int) -> Loss | None:
        """Why a sample of this time must not be sent; None if it may."""
        if ms > now_ms + MAX_AHEAD_MS or ms > MAX_MS:
            return Loss.IN_FUTURE
        return Loss.TOO_OLD if ms < now_ms - self._max_age_ms or ms < MIN_MS else None

    def row(self, item: RowItem, now_ms: int) -> tuple[list[bytes], int, Loss | None]:
        """Encode a row: the series, the time of the newest, and why the row is lost if it is."""
        account, event, circuit, row = item
        key = (account, event.name, circuit)
        series = self._circuits.get(key)
        if not row.values:
            if series is None:
                return [], 0, None
            del self._circuits[key]
            return series.end(), series.last_ms + 1, None
        ms = round(row.sampled_at * 1000)
        loss = self.check(ms, now_ms)
        if loss is not None:
            return [], ms, loss
        if series is None:
            shape = self._shapes.get(event.name)
            if shape is None:
                shape = self._shapes[event.name] = EventShape(event, self._labels)
            series = self._circuits[key] = CircuitSeries(shape, account, circuit)
        if ms <= series.last_ms:
            return [], ms, Loss.OUT_OF_ORDER
        return series.encode(row, ms), ms, None

    def collected(self, collected: Collected) -> list[bytes]:
        """Encode collected samples, and stale markers for the series that are gone since the last ones."""
        ms = collected.ms
        if ms <= self._collected_ms:
            return []  # the clock was set back
        timestamp = encode_timestamp(ms)
        encoded, present = [], set()
        for sample in collected.samples:
            labels = self._encode(sample)
            if labels not in present:
                present.add(labels)
                encoded.append(encode_series(labels, pack_value(sample.value), timestamp))
        encoded += [encode_series(labels, STALE, timestamp) for labels in self._collected - present]
        self._collected, self._collected_ms = present, ms
        return encoded

    def _encode(self, sample: Sample) -> bytes:
        own = {**sample.labels, NAME: sample.name}
        labels = {name: value for name, value in self._labels.items() if not own.get(name)} | own
        return encode_labels(sorted(labels.items()))

    def end(self) -> list[bytes]:
        """Encode stale markers for every series, because the exporter stops."""
        encoded = [marker for series in self._circuits.values() for marker in series.end()]
        timestamp = encode_timestamp(self._collected_ms + 1)
        encoded += [encode_series(labels, STALE, timestamp) for labels in self._collected]
        self._circuits.clear()
        self._collected = set()
        return encoded
