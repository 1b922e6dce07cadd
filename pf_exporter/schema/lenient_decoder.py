"""Decode an event field by field, so that one unusable value does not affect the others."""

from __future__ import annotations

import json
from typing import Any

from pf_exporter.errors import NoCircuitId, NotJson, NoValues, TooDeep
from pf_exporter.schema.activity_fields import ACTIVITY_FIELDS
from pf_exporter.schema.event_type import EventType
from pf_exporter.schema.family import MetricType
from pf_exporter.schema.lanes import drop_dark_lanes, lane_field, lane_numbers
from pf_exporter.schema.observation import ActivityLogEntry, Observation
from pf_exporter.schema.timestamps import parse_timestamp
from pf_exporter.schema.values import is_id, parse_log_level, parse_number, parse_vlan


def _parse_object(data: str) -> dict[str, Any]:
    """The JSON object in an event's data; every number is a float, infinite if it is too large for one."""
    try:
        document = json.loads(data, parse_int=float)
    except RecursionError:
        raise TooDeep("the data of an event nests too deeply") from None
    except ValueError as exc:
        raise NotJson(f"the data of an event is not JSON: {str(exc)[:100]}") from None
    if not isinstance(document, dict):
        raise NotJson("the data of an event is not a JSON object")
    return document


def _pop_circuit(event: EventType, fields: dict[str, Any]) -> tuple[tuple[str, ...], int]:
    """Take the circuit out of the fields, and count a VLAN that is unusable."""
    circuit: list[str] = []
    rejected = 0
    for name in event.circuit:
        value = fields.pop(name, None)
        if name == "vlan":
            value, rejected = parse_vlan(value)
        elif not is_id(value):
            raise NoCircuitId(f"an event {event.name} has no usable {name}")
        circuit.append(value)
    return tuple(circuit), rejected


def _pop_numbers(event: EventType, fields: dict[str, Any], lane: int) -> tuple[list[float | None], int]:
    """Take the numbers of one lane out of the fields, and count those that are unusable."""
    numbers: list[float | None] = []
    rejected = 0
    for name, family in event.fields.items():
        raw = fields.pop(lane_field(name, lane), None)
        number, odd = parse_number(raw, is_count=family.type is MetricType.COUNTER)
        numbers.append(number)
        rejected += odd
    for name in event.ignored:
        fields.pop(lane_field(name, lane), None)
    return numbers, rejected


def decode_lenient(event: EventType, data: str) -> Observation:
    """Decode the data of an event, whatever its fields contain.

    Raises :class:`pf_exporter.errors.EventError` if the data is not a JSON object, identifies no circuit, or
    has other fields than those that are documented.
    """
    fields = _parse_object(data)
    timestamp, rejected = parse_timestamp(fields.pop("timestamp", None))
    circuit, odd = _pop_circuit(event, fields)
    rejected += odd
    has_nulls = None in fields.values()
    lanes = lane_numbers(fields) if event.has_lanes else [0]
    values: list[float | None] = []
    for lane in lanes:
        numbers, odd = _pop_numbers(event, fields, lane)
        values += numbers
        rejected += odd
    if (fields or rejected) and not has_nulls and values.count(None) == len(values):
        message = f"an event {event.name} has no value that can be used"
        raise NoValues(message, rejected=rejected, unknown=tuple(fields))
    active_lanes, kept = drop_dark_lanes(lanes, values) if event.has_lanes else ((), tuple(values))
    # The fields that are left are unknown.
    return Observation(event, circuit, active_lanes, kept, timestamp, rejected, tuple(fields))


def decode_activity(category: str, data: str) -> ActivityLogEntry:
    """Decode the data of an event ``customer|…``; raises like :func:`decode_lenient`."""
    fields = _parse_object(data)
    timestamp, odd_timestamp = parse_timestamp(fields.get("timestamp"))
    level, odd_level = parse_log_level(fields.get("log_level"))
    details = {name: value for name, value in fields.items() if isinstance(value, str)}
    unknown = tuple(name for name in fields if name not in ACTIVITY_FIELDS)
    return ActivityLogEntry(category, level, timestamp, details, odd_timestamp + odd_level, unknown)
