"""The rows of one account and one event."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from pf_exporter.schema import EventType, MetricType, Numbers


class Row(NamedTuple):
    """What is known of one circuit from one kind of event; replaced whole, never changed."""

    lanes: tuple[str, ...]
    values: Numbers
    """As in :class:`~pf_exporter.schema.observation.Observation`; running sums where events carry deltas.

    Empty once the row has expired: then it only remembers when the circuit was last heard of.
    """
    timestamp: float | None
    """UNIX seconds of the sample, by the network's clock."""
    arrived: float
    """When the event came, by the monotonic clock: what expiry goes by."""
    received_at: float
    """When the event came, in UNIX seconds: what people read."""


def has_fallen(before: Numbers, after: Numbers) -> bool:
    """Whether one of the totals is lower than it was."""
    try:
        return any(map(operator.gt, before, after))  # type: ignore[arg-type]  # None: see below
    except TypeError:  # a None among them
        return any(a is not None and b is not None and a > b for a, b in zip(before, after, strict=True))


class Entry:
    """One circuit, and what is known of it from one kind of event."""

    __slots__ = ("circuit", "row", "series")

    def __init__(self, circuit: tuple[str, ...], row: Row) -> None:
        self.circuit = circuit
        self.row = row
        self.series = 0
        """How many series the row makes at most: its numbers, and the time it was last heard of.

        The VLANs of a circuit that end on one port share the latter; here each counts its own.
        """


class Table:
    """The rows of one account and one kind of event."""

    def __init__(self, event: EventType, *, delta: bool) -> None:
        self.held: dict[tuple[str, ...], Entry] = {}
        """By circuit, in the order in which they were first seen, so that /metrics keeps its order."""
        self.live: OrderedDict[Entry, None] = OrderedDict()
        """Those that have not expired, the longest silent first."""
        self.oldest = float("-inf")
        """None of them was last heard of before this time; so that most writes need not look for it."""
        self.version = 0
        """Rises with every change of the rows."""
        self.delta = delta
        types = [family.type for family in event.fields.values()]
        self.counters = tuple(index for index, type_ in enumerate(types) if type_ is MetricType.COUNTER)
        self.totals: Callable[[Numbers], Numbers] | None = None
        """The totals among the values: where all are, tuple() is the values themselves."""
        if self.counters:
            self.totals = operator.itemgetter(*self.counters) if MetricType.GAUGE in types else tuple

    def added(self, held: Numbers, values: Numbers) -> Numbers:
        """``values``, each difference in them replaced by the sum of all so far."""
        sums = list(values)
        for index in self.counters:
            before, more = held[index], values[index]
            sums[index] = before if more is None else more + (before or 0.0)
        return tuple(sums)
