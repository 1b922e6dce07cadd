"""What one event says, decoded and checked against types built from the table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import msgspec

from pf_exporter.errors import NoCircuitId, NotJson, TooDeep
from pf_exporter.schema.events import ACTIVITY_FIELDS, CATEGORIES, EVENTS
from pf_exporter.schema.family import EventType
from pf_exporter.schema.observation import OTHER, ActivityLogEntry, Numbers, Observation
from pf_exporter.schema.timestamps import MAX_TIMESTAMP, epoch, parse_timestamp
from pf_exporter.schema.values import MAX_ID, is_label, parse_log_level, parse_number, parse_vlan

# Readers of a whole event.

_LANE = re.compile(r"lane_(\d{1,2})_", re.ASCII)
_USUAL_LANES = range(4)
"""The lanes the API documents; an event with others is read the tolerant way."""
_ALL_LANES = tuple(map(str, _USUAL_LANES))


def _lane_field(name: str, lane: int) -> str:
    """A field of the table as the event's key: ``lane_N_rx_dbm`` is ``lane_0_rx_dbm``."""
    return name.replace("_N_", f"_{lane}_")


def _drop_dark_lanes(lanes: Iterable[int], values: Iterable[float | None]) -> tuple[tuple[str, ...], Numbers]:
    """Lanes and their numbers, without readings that contradict themselves and without dark lanes.

    0 dBm is 1 mW, so 0.0 dBm beside 0.0 mW is no reading; a lane left with no reading of light is no lane.
    """
    lit: list[str] = []
    numbers: list[float | None] = []
    # Six numbers to a lane, in the order of the table.
    rows = zip(lanes, *[iter(values)] * 6, strict=False)
    for lane, rx_dbm, tx_dbm, rx_power, tx_power, output_power, bias_current in rows:
        if rx_dbm == 0 == rx_power:
            rx_dbm = rx_power = None
        if tx_dbm == 0 == tx_power:
            tx_dbm = tx_power = None
        light = (rx_dbm, tx_dbm, rx_power, tx_power)
        if light != (None, None, None, None):
            lit.append(str(lane))
            numbers += (*light, output_power, bias_current)
    return tuple(lit), tuple(numbers)


def _parse_object(data: str) -> dict[str, Any]:
    """The object in an event's data; every number a float, infinite where it is too large for one."""
    try:
        document = json.loads(data, parse_int=float)
    except RecursionError:
        raise TooDeep("the data of an event nests too deeply") from None
    except ValueError as exc:
        raise NotJson(f"the data of an event is not JSON: {str(exc)[:100]}") from None
    if not isinstance(document, dict):
        raise NotJson("the data of an event is not a JSON object")
    return document


def _decode_lenient(event: EventType, data: str) -> Observation:
    """Read an event field by field, so that one odd value never costs the others."""
    left = _parse_object(data)  # what is read is taken out
    timestamp, rejected = parse_timestamp(left.pop("timestamp", None))
    circuit: list[str] = []
    for name in event.circuit:
        text = left.pop(name, None)
        if name == "vlan":
            text, odd = parse_vlan(text)
            rejected += odd
        elif not is_label(text, MAX_ID):
            raise NoCircuitId(f"an event {event.name} has no usable {name}")
        circuit.append(text)
    lanes = sorted({int(found[1]) for found in map(_LANE.match, left) if found}) if event.has_lanes else [0]
    values = []
    for lane in lanes:
        for name, family in event.fields.items():
            number, odd = parse_number(
                left.pop(_lane_field(name, lane), None), is_count=family.kind == "counter"
            )
            values.append(number)
            rejected += odd
        for name in event.ignored:
            left.pop(_lane_field(name, lane), None)
    lit, numbers = _drop_dark_lanes(lanes, values) if event.has_lanes else ((), tuple(values))
    return Observation(event, tuple(circuit), lit, numbers, timestamp, rejected, tuple(left))


def _row_type(event: EventType) -> type[msgspec.Struct]:
    """A type built from the table: it refuses any field or type that is not documented."""
    text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
    count = Annotated[float, msgspec.Meta(ge=0)]
    columns: list[Any] = [("timestamp", Annotated[str, msgspec.Meta(max_length=MAX_TIMESTAMP)])]
    for name in event.circuit:
        columns.append(("vlan", int | str | None, None) if name == "vlan" else (name, text))
    lanes = _USUAL_LANES if event.has_lanes else (0,)
    for lane in lanes:
        for name, family in event.fields.items():
            columns.append(
                (_lane_field(name, lane), (count if family.kind == "counter" else float) | None, None)
            )
    # Behind all that is looked at: documented, but of no use.
    unused = [name for name in event.ignored if name != "timestamp"]
    columns += [(_lane_field(name, lane), Any, None) for lane in lanes for name in unused]
    return msgspec.defstruct("Row", columns, forbid_unknown_fields=True, gc=False)


def _make_decoder(event: EventType) -> Callable[[str], Observation]:
    """The quick way to read an event, which leaves what is not exactly as documented to the tolerant one."""
    exact = msgspec.json.Decoder(_row_type(event)).decode
    astuple, new = msgspec.structs.astuple, tuple.__new__
    has_lanes, has_vlan = event.has_lanes, event.circuit[-1] == "vlan"
    first = 1 + len(event.circuit)
    last = first + len(event.fields) * (len(_USUAL_LANES) if has_lanes else 1)

    def read(data: str) -> Observation:
        try:
            row = astuple(exact(data))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return _decode_lenient(event, data)
        timestamp = epoch(row[0])
        if timestamp is None:
            return _decode_lenient(event, data)
        circuit, values = row[1:first], row[first:last]
        lanes: tuple[str, ...] = ()
        rejected = 0
        if has_vlan:
            vlan, rejected = parse_vlan(circuit[-1])
            circuit = (*circuit[:-1], vlan)
        elif has_lanes:
            # Usually no reading is missing, and none is 0, so that every lane is lit.
            lanes, values = (_ALL_LANES, values) if all(values) else _drop_dark_lanes(_USUAL_LANES, values)
        # tuple.__new__ is half the cost of calling the class.
        return new(Observation, (event, circuit, lanes, values, timestamp, rejected, ()))

    return read


_DECODERS = {name: _make_decoder(event) for name, event in EVENTS.items()}


def _decode_activity(category: str, data: str) -> ActivityLogEntry:
    document = _parse_object(data)
    timestamp, odd_stamp = parse_timestamp(document.get("timestamp"))
    level, odd_level = parse_log_level(document.get("log_level"))
    details = {key: value for key, value in document.items() if isinstance(value, str)}
    unknown = tuple(key for key in document if key not in ACTIVITY_FIELDS)
    return ActivityLogEntry(category, level, timestamp, details, odd_stamp + odd_level, unknown)


def decode(name: str, data: str) -> Observation | ActivityLogEntry | None:
    """What the event ``name`` with ``data`` says; None for a name that is none of ours.

    Raises :class:`pf_exporter.errors.EventError` where the whole event is unusable.
    """
    read = _DECODERS.get(name)
    if read is not None:
        return read(data)
    if name.startswith("customer|"):
        category = name.removeprefix("customer|")
        return _decode_activity(category if category in CATEGORIES else OTHER, data)
    return None
