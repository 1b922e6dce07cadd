"""Decode events: strictly with types built from the table, else leniently field by field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from pf_exporter.schema.activity import CATEGORIES
from pf_exporter.schema.event_type import EventType
from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.family import MetricType
from pf_exporter.schema.lanes import drop_dark_lanes, lane_field
from pf_exporter.schema.lenient_decoder import decode_activity, decode_lenient
from pf_exporter.schema.observation import OTHER, ActivityLogEntry, Observation
from pf_exporter.schema.timestamps import MAX_TIMESTAMP, epoch
from pf_exporter.schema.values import MAX_COUNT, MAX_ID, parse_vlan

_ACTIVITY_PREFIX = "customer|"
_LANES = range(4)
"""The lanes that the API documents; an event with others is decoded leniently."""
_LANE_LABELS = tuple(map(str, _LANES))


def row_type(event: EventType) -> type[msgspec.Struct]:
    """A type that accepts an event exactly as documented: timestamp, circuit, values, ignored fields."""
    text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
    count = Annotated[float, msgspec.Meta(ge=0, le=MAX_COUNT)]
    columns: list[Any] = [("timestamp", Annotated[str, msgspec.Meta(max_length=MAX_TIMESTAMP)])]
    columns += [
        ("vlan", int | str | None, None) if name == "vlan" else (name, text) for name in event.circuit
    ]
    lanes = _LANES if event.has_lanes else (0,)
    for lane in lanes:
        for name, family in event.fields.items():
            number = count if family.type is MetricType.COUNTER else float
            columns.append((lane_field(name, lane), number | None, None))
    # Ignored fields come last, so that one slice of a row holds exactly the values.
    ignored = [name for name in event.ignored if name != "timestamp"]
    columns += [(lane_field(name, lane), Any, None) for lane in lanes for name in ignored]
    return msgspec.defstruct("Row", columns, forbid_unknown_fields=True, gc=False)


def _build_decoder(event: EventType) -> Callable[[str], Observation]:
    """A decoder that is fast for data exactly as documented, and lenient for anything else."""
    decode_strict = msgspec.json.Decoder(row_type(event)).decode
    astuple = msgspec.structs.astuple
    has_lanes, has_vlan = event.has_lanes, event.circuit[-1] == "vlan"
    first = 1 + len(event.circuit)
    is_port = len(event.circuit) == 1
    last = first + len(event.fields) * (len(_LANES) if has_lanes else 1)

    def decode_event(data: str) -> Observation:
        try:
            row = astuple(decode_strict(data))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return decode_lenient(event, data)
        timestamp = epoch(row[0])
        ids = row[1] if is_port else row[1] + row[2]
        if timestamp is None or not (ids.isascii() and ids.isprintable()):
            return decode_lenient(event, data)
        circuit, values = row[1:first], row[first:last]
        lanes: tuple[str, ...] = ()
        rejected = 0
        if has_vlan:
            vlan, rejected = parse_vlan(circuit[-1])
            circuit = (*circuit[:-1], vlan)
        elif has_lanes:
            # If no value is missing or 0, as in most events, every lane carries light.
            lanes, values = (_LANE_LABELS, values) if all(values) else drop_dark_lanes(_LANES, values)
        return Observation(event, circuit, lanes, values, timestamp, rejected)

    return decode_event


_DECODERS = {name: _build_decoder(event) for name, event in EVENTS.items()}


def decode(name: str, data: str) -> Observation | ActivityLogEntry | None:
    """Decode the event ``name`` with ``data``; None if the name is unknown.

    Raises :class:`pf_exporter.errors.EventError` if the whole event is unusable.
    """
    decode_event = _DECODERS.get(name)
    if decode_event is not None:
        return decode_event(data)
    if name.startswith(_ACTIVITY_PREFIX):
        category = name.removeprefix(_ACTIVITY_PREFIX)
        return decode_activity(category if category in CATEGORIES else OTHER, data)
    return None
