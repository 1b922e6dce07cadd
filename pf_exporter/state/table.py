"""The rows of one account and one event type."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Callable

import msgspec

from pf_exporter.schema import EventType, MetricType, Numbers

MAX_AHEAD = 60.0
"""Most seconds that a sample may be ahead of this machine's clock; Prometheus drops future samples."""


class Row(msgspec.Struct, frozen=True, gc=False):
    """The latest values of one circuit from one event type; replaced as a whole, never changed."""

    lanes: tuple[str, ...]
    values: Numbers
    """As in :class:`~pf_exporter.schema.observation.Observation`; running sums where events carry deltas.

    Empty once the row has expired; then only the time of the last event remains.
    """
    timestamp: float | None
    """UNIX seconds of the sample, by the network's clock."""
    received_monotonic: float
    """When the event was received, by the monotonic clock; expiry uses it."""
    received_at: float
    """When the event was received, in UNIX seconds."""

    @property
    def sampled_at(self) -> float:
        """UNIX seconds of the values: the event's timestamp, at most ``MAX_AHEAD`` after its arrival.

        Without a timestamp, the time of arrival.
        """
        timestamp = self.timestamp
        if timestamp is None:
            return self.received_at
        latest = self.received_at + MAX_AHEAD
        return timestamp if timestamp < latest else latest


def any_decreased(before: Numbers, after: Numbers) -> bool:
    """Return whether a value is lower than before; absent values are not compared."""
    try:
        return any(map(operator.gt, before, after))  # type: ignore[arg-type]  # None raises TypeError
    except TypeError:
        return any(a is not None and b is not None and a > b for a, b in zip(before, after, strict=True))


def _by_lane(row: Row, width: int) -> dict[str, Numbers]:
    """Return the values of each lane; those of an event without lanes are under the empty string."""
    if not row.lanes:
        return {"": row.values} if row.values else {}
    return {lane: row.values[width * index :][:width] for index, lane in enumerate(row.lanes)}


def without_values(row: Row) -> Row:
    """Return what remains of a row that has expired."""
    return msgspec.structs.replace(row, lanes=(), values=(), timestamp=None)


def in_shape_of(row: Row, shape: Row, width: int, *, keep_timestamp: bool) -> Row:
    """Return a row without the series that ``shape`` does not have; ``width`` is the values per lane."""
    before, after = _by_lane(shape, width), _by_lane(row, width)
    lanes = [lane for lane in after if lane in before]
    values = [
        None if old is None else new
        for lane in lanes
        for old, new in zip(before[lane], after[lane], strict=True)
    ]
    return msgspec.structs.replace(
        row,
        lanes=tuple(lane for lane in lanes if lane),
        values=tuple(values),
        timestamp=row.timestamp if keep_timestamp else None,
    )


class Entry:
    """A circuit with its row, and the number of series the row accounts for."""

    __slots__ = ("circuit", "expired_sample", "row", "series")

    def __init__(self, circuit: tuple[str, ...], row: Row) -> None:
        self.circuit = circuit
        self.row = row
        self.expired_sample: tuple[float | None, int] | None = None
        """What :meth:`Table.sample` returned for the row before it expired last; None if it has not."""
        self.series = 0
        """Upper bound of the row's series: its values and the timestamp of the last event.

        The VLANs of a circuit that end on one port share that timestamp on /metrics; here each VLAN counts
        its own.
        """


class Table:
    """The rows of one account and one event type, with what expiry and change detection need."""

    def __init__(self, event: EventType, *, delta: bool) -> None:
        self.event = event
        self.entries: dict[tuple[str, ...], Entry] = {}
        """By circuit, in the order of their first events, so that /metrics keeps a stable order."""
        self.live: OrderedDict[Entry, None] = OrderedDict()
        """Entries that have not expired, the least recently updated first."""
        self.oldest = float("-inf")
        """Lower bound of ``received_monotonic`` of the live entries; lets most writes skip expiry."""
        self.version = 0
        """Increases with every change of the rows."""
        self.delta = delta
        """Whether the event's counters carry differences instead of running totals."""
        types = [family.type for family in event.fields.values()]
        self._counters = tuple(index for index, type_ in enumerate(types) if type_ is MetricType.COUNTER)
        self.select_counters: Callable[[Numbers], Numbers] | None = None
        """Returns the counters among a row's values; None where the event has none."""
        if self._counters:
            # Where every value is a counter, tuple() returns the values themselves.
            self.select_counters = (
                operator.itemgetter(*self._counters) if MetricType.GAUGE in types else tuple
            )

    def sample(self, timestamp: float | None, values: Numbers) -> tuple[float | None, int]:
        """Return what two events with the same sample share: the time and, unless summed, the values."""
        return timestamp, 0 if self.delta else hash(values)

    def repeats_expired(self, entry: Entry, timestamp: float | None, values: Numbers) -> bool:
        """Return whether an event is the sample of an entry's row before it expired."""
        return timestamp is not None and entry.expired_sample == self.sample(timestamp, values)

    def accumulate(self, sums: Numbers, values: Numbers) -> Numbers:
        """Return ``values`` with each counter replaced by its sum so far plus the new difference."""
        result = list(values)
        for index in self._counters:
            total, difference = sums[index], values[index]
            result[index] = total if difference is None else difference + (total or 0.0)
        return tuple(result)
