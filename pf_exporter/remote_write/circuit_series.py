"""The series of one circuit's rows, with everything prepared that does not change from event to event."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import NamedTuple

from pf_exporter.remote_write.encoder import (
    STALE,
    VALUE_SAMPLE,
    VALUE_SAMPLE_BYTES,
    ZERO_SAMPLE,
    ZERO_SAMPLE_BYTES,
    encode_labels,
    encode_timestamp,
    pack_value,
    series_start,
)
from pf_exporter.schema import EventType, Numbers
from pf_exporter.state import Row

NAME = "__name__"


class Heads(NamedTuple):
    """For each field of an event, a series up to its name, for all circuits with labels of one length."""

    value: tuple[bytes, ...]
    zero: tuple[bytes, ...]
    """The same for samples that are zero, which are shorter."""


class EventShape:
    """What the series of an event have in common: names, labels of the endpoint, divisors."""

    def __init__(self, event: EventType, labels: Mapping[str, str]) -> None:
        self._labels = labels
        self.width = len(event.fields)
        divisors = tuple(float(family.divisor) for family in event.fields.values())
        self.divisors = divisors if any(divisor != 1 for divisor in divisors) else None
        self._label_names = next(iter(event.fields.values())).labels
        # "__name__" is not the first label if there are labels in upper case.
        self._before = encode_labels(sorted((k, v) for k, v in labels.items() if k < NAME))
        self._names = [encode_labels([(NAME, family.name)]) for family in event.fields.values()]
        self._heads: dict[int, Heads] = {}

    def tail(self, label_values: tuple[str, ...]) -> bytes:
        """Encode the labels that follow the name; the values are those of the families' labels."""
        own = dict(zip(self._label_names, label_values, strict=True))
        labels = {name: value for name, value in self._labels.items() if not own.get(name)} | own
        return encode_labels(sorted((name, value) for name, value in labels.items() if name > NAME))

    def heads(self, tail_bytes: int) -> Heads:
        """Return the heads for tails of a length."""
        heads = self._heads.get(tail_bytes)
        if heads is None:
            before = self._before
            heads = self._heads[tail_bytes] = Heads(
                *(
                    tuple(
                        series_start(len(before) + len(name) + tail_bytes + size) + before + name
                        for name in self._names
                    )
                    for size in (VALUE_SAMPLE_BYTES, ZERO_SAMPLE_BYTES)
                )
            )
        return heads


class _Lane(NamedTuple):
    """The part of a circuit's labels that follows the name, and the heads that fit it."""

    heads: Heads
    value_tail: bytes
    zero_tail: bytes

    def encode(self, values: Numbers, timestamp: bytes) -> list[bytes]:
        """Encode the values that are not None."""
        value_tail, zero = self.value_tail, self.zero_tail + timestamp
        return [
            value_head + value_tail + pack_value(value) + timestamp if value else zero_head + zero
            for value, value_head, zero_head in zip(values, *self.heads, strict=True)
            if value is not None
        ]

    def stale(self, values: Numbers, timestamp: bytes) -> list[bytes]:
        """Encode stale markers for the values that are not None."""
        end = self.value_tail + STALE + timestamp
        return [head + end for value, head in zip(values, self.heads.value, strict=True) if value is not None]


class CircuitSeries:
    """The series of one circuit and event at one endpoint."""

    __slots__ = ("_labels", "_lane_names", "_lanes", "_shape", "_values", "last_ms")

    def __init__(self, shape: EventShape, account: str, circuit: tuple[str, ...]) -> None:
        self._shape = shape
        self._labels = (account, *circuit)
        self._lane_names: tuple[str, ...] | None = None
        self._lanes: dict[str, _Lane] = {}
        self._values: Numbers = ()
        """The last values, for stale markers."""
        self.last_ms = -1
        """The timestamp of the last row; no older one may follow."""

    def _lane(self, name: str) -> _Lane:
        tail = self._shape.tail((*self._labels, name) if name else self._labels)
        return _Lane(self._shape.heads(len(tail)), tail + VALUE_SAMPLE, tail + ZERO_SAMPLE)

    def encode(self, row: Row, ms: int) -> list[bytes]:
        """Encode a row with values, and stale markers for the series that it no longer has."""
        timestamp = encode_timestamp(ms)
        width = self._shape.width
        values = row.values
        ended: list[bytes] = []
        if row.lanes != self._lane_names or None in values or None in self._values:
            ended = self._ended(row, timestamp)
            self._lane_names = row.lanes
            self._lanes = {name: self._lanes.get(name) or self._lane(name) for name in row.lanes or ("",)}
        self._values, self.last_ms = values, ms
        divisors = self._shape.divisors
        if divisors is not None:
            values = _divided(values, divisors)
        if len(values) == width:
            (lane,) = self._lanes.values()
            return lane.encode(values, timestamp) + ended
        encoded = ended
        for index, lane in enumerate(self._lanes.values()):
            encoded += lane.encode(values[index * width :][:width], timestamp)
        return encoded

    def _by_lane(self, names: tuple[str, ...], values: Numbers) -> dict[str, Numbers]:
        width = self._shape.width
        return {name: values[index * width :][:width] for index, name in enumerate(names or ("",))}

    def _ended(self, row: Row, timestamp: bytes) -> list[bytes]:
        """Encode stale markers for the series of the last row that a row lacks."""
        if self._lane_names is None:
            return []
        after = self._by_lane(row.lanes, row.values)
        encoded = []
        for name, before in self._by_lane(self._lane_names, self._values).items():
            now = after.get(name, (None,) * len(before))
            gone = tuple(old if new is None else None for old, new in zip(before, now, strict=True))
            encoded += self._lanes[name].stale(gone, timestamp)
        return encoded

    def end(self) -> list[bytes]:
        """Encode stale markers for all series, a millisecond after their last samples.

        A later time could be later than the next sample's, whose own time is that of the event.
        """
        timestamp = encode_timestamp(self.last_ms + 1)
        encoded = []
        for name, values in self._by_lane(self._lane_names or (), self._values).items():
            encoded += self._lanes[name].stale(values, timestamp)
        return encoded


def _divided(values: Numbers, divisors: tuple[float, ...]) -> Numbers:
    lanes = len(values) // len(divisors)
    try:
        return tuple(map(operator.truediv, values, divisors * lanes))
    except TypeError:
        return tuple(
            None if value is None else value / divisor
            for value, divisor in zip(values, divisors * lanes, strict=True)
        )
