"""The type of an event that carries measurements of one circuit."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from pf_exporter.schema.family import FamilySpec, MetricType

LANE_FIELD_PREFIX = "lane_N_"
"""How the table spells the beginning of a field that repeats for each lane, such as ``lane_0_rx_dbm``."""


class FieldSpec(NamedTuple):
    """One row of the table: a field of an event and the metric family it becomes."""

    field: str
    metric: str
    type: MetricType
    help: str
    divisor: int = 1


@dataclass(frozen=True)
class EventType:
    """An event that carries measurements of one circuit."""

    name: str
    """The event's name in the stream, such as ``port|metrics``."""
    circuit: tuple[str, ...]
    """The fields that identify the circuit; they are labels too."""
    fields: Mapping[str, FamilySpec]
    """The family of each field, in the order of ``/metrics``; per-lane fields are spelled ``lane_N_…``."""
    ignored: Mapping[str, str]
    """Documented fields that become no metric, with the reason."""

    @functools.cached_property
    def has_lanes(self) -> bool:
        """Whether the fields repeat for each lane of an optical module."""
        return any(field.startswith(LANE_FIELD_PREFIX) for field in self.fields)

    def columns(self, *fields: str) -> tuple[int, ...]:
        """The positions of fields among the values of an event, or of one lane."""
        return tuple(map(list(self.fields).index, fields))


def build_event_type(
    name: str, circuit: tuple[str, ...], rows: Iterable[FieldSpec], ignored: Mapping[str, str]
) -> EventType:
    """An event type whose families have the labels ``account``, ``circuit`` and, if per lane, ``lane``."""
    fields = {}
    for row in rows:
        lane = ("lane",) if row.field.startswith(LANE_FIELD_PREFIX) else ()
        labels = ("account", *circuit, *lane)
        fields[row.field] = FamilySpec(
            row.metric, row.type, row.help, labels, f"{name} {row.field}", row.divisor
        )
    return EventType(name, circuit, MappingProxyType(fields), MappingProxyType(dict(ignored)))
