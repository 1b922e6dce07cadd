"""Metric families and event types as data: names, types, units, labels, help."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

MetricType = Literal["counter", "gauge"]

UNITS = ("bytes_per_second", "packets_per_second", "bytes", "seconds", "watts", "amperes", "dbm")
"""Units that a family's name can end in, the longer first."""


def unit(name: str) -> str:
    """The unit a metric's name ends in, before ``_total``; empty where it counts things.

    >>> unit("packetfabric_port_receive_bytes_total"), unit("packetfabric_port_receive_runts_total")
    ('bytes', '')
    """
    stem = name.removesuffix("_total")
    return next((known for known in UNITS if stem.endswith("_" + known)), "")


@dataclass(frozen=True)
class FamilySpec:
    """One metric family and the event field it comes from."""

    name: str
    """As it stands on /metrics, with ``_total`` on counters."""
    kind: MetricType
    help: str
    """One sentence, without the source that :attr:`documentation` adds."""
    labels: tuple[str, ...]
    source: str
    """``port|errors rx_runt``: the event and the field, with ``N`` for a lane's number."""
    divisor: int = 1
    """The API's number divided by this is the number in the base unit."""

    @property
    def documentation(self) -> str:
        """The HELP text: the sentence and its source."""
        return f"{self.help} ({self.source})."


@dataclass(frozen=True)
class EventType:
    """An event that carries numbers of one circuit."""

    name: str
    """``port|metrics``, as the stream spells it."""
    circuit: tuple[str, ...]
    """The fields that say which circuit the event speaks of; they are labels too."""
    fields: Mapping[str, FamilySpec]
    """From the event's field to its family, in the order of /metrics; ``lane_N_…`` where there are lanes."""
    ignored: Mapping[str, str] = field(default_factory=dict)
    """Documented fields that are no metric, and why."""

    @functools.cached_property
    def has_lanes(self) -> bool:
        """Whether the fields repeat for each lane of an optical module."""
        return any(name.startswith("lane_N_") for name in self.fields)


FieldSpec = tuple[str, str, MetricType, str, int]
