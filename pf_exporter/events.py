"""What one event says, decoded and checked against types built from the table."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, NamedTuple

import msgspec

from pf_exporter.errors import NoCircuitId, NotJson, TooDeep
from pf_exporter.families import CATEGORIES, EVENTS, LOG_LEVELS, EventType

Numbers = tuple["float | None", ...]

OTHER = "other"
"""The label value for what the API's documentation does not list."""

MAX_ID = 256
"""Characters; the longest circuit id in any source has 30."""


class Observation(NamedTuple):
    """The numbers one event carries, as the API gives them (unscaled)."""

    event: EventType
    circuit: tuple[str, ...]
    """Values of ``event.circuit``, as received; a missing VLAN is the empty string."""
    lanes: tuple[str, ...]
    """Optical lanes in the order of their numbers; empty for events without lanes."""
    values: Numbers
    """One number for each field of the event, lane after lane; None where the event gives none."""
    timestamp: float | None
    """UNIX seconds of the sample, or None where the event does not say or says it unreadably."""
    fields_rejected: int = 0
    """Fields whose value cannot be used."""
    fields_unknown: int = 0
    """Fields the table does not know."""


class Activity(NamedTuple):
    """One entry of the account's activity log."""

    category: str
    """One of ``CATEGORIES``, or ``other``."""
    log_level: str
    """One of ``LOG_LEVELS``, or ``other``."""
    timestamp: float | None
    details: Mapping[str, str]
    """The texts of the entry: user, event, message, ip_address and what else came; personal data."""
    fields_rejected: int = 0
    fields_unknown: int = 0


_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?\s?(?:([Zz])|([+-])(\d\d):?(\d\d))?",
    re.ASCII,
)


@functools.lru_cache(maxsize=1024)
def epoch(text: str) -> float | None:
    """UNIX seconds of a timestamp in any of the API's forms, or None; no zone means UTC.

    The forms: ``+00:00``, ``+0000``, ``Z`` or no zone; a fraction of any length or none; ``T`` or a blank.
    Events of one sample share their timestamp, hence the cache.

    >>> epoch("2021-08-06T16:23:12.5+0000") == epoch("2021-08-06 18:23:12.500+02:00")
    True
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    *clock, fraction, _, sign, hours, minutes = match.groups()
    try:
        moment = datetime(*map(int, clock), tzinfo=timezone.utc)  # type: ignore[misc, arg-type]  # six numbers
    except ValueError:  # the 30th of February
        return None
    seconds = moment.timestamp() + float(f"0.{fraction or 0}")
    if sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes)).total_seconds()
        seconds -= offset if sign == "+" else -offset
    return seconds


_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_NO_LIGHT = re.compile(r"-\s?inf(?:inity)?", re.IGNORECASE)


def _number(value: object) -> float | None:
    """The number a JSON value is, or None for none; ValueError for what cannot be one."""
    if value is None:
        return None
    if isinstance(value, str):
        text = value.strip()
        if _NO_LIGHT.fullmatch(text):  # how routers print the power of dark fibre
            return None
        if len(text) > 64 or not _NUMBER.fullmatch(text):
            raise ValueError(text[:64])
        value = float(text)
    if not isinstance(value, float) or not math.isfinite(value):
        raise ValueError("not a finite number")
    return value


def _clean(text: object, limit: int) -> bool:
    """Whether a value is text that may become a label: not empty, not too long, encodable."""
    if not isinstance(text, str) or not 0 < len(text) <= limit:
        return False
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _json(data: str) -> dict[str, Any]:
    """The object in an event's data; every number a float, infinite where it is too large for one.

    Raises :class:`NotJson` and :class:`TooDeep`.
    """
    try:
        document = json.loads(data, parse_int=float)
    except RecursionError:
        raise TooDeep("the data of an event nests too deeply") from None
    except ValueError as exc:
        raise NotJson(f"the data of an event is not JSON: {str(exc)[:100]}") from None
    if not isinstance(document, dict):
        raise NotJson("the data of an event is not a JSON object")
    return document


def _stamp(document: Mapping[str, Any]) -> tuple[float | None, int]:
    """The time of an event, and how many fields had to be rejected to know it."""
    raw = document.get("timestamp")
    if raw is None:
        return None, 0
    seconds = epoch(raw) if isinstance(raw, str) and len(raw) < 64 else None
    return seconds, int(seconds is None)


def _vlan(raw: object) -> tuple[str, int]:
    """A VLAN as label text (``4`` and ``"4"`` are one), and how many fields had to be rejected."""
    if raw is None or raw == "":
        return "", 0
    if isinstance(raw, int | float) and not isinstance(raw, bool) and raw == raw // 1:
        return str(int(raw)), 0
    if isinstance(raw, str) and _clean(raw, 32):
        return raw, 0
    return "", 1


def _drop_dark(event: EventType, lanes: Iterable[str], values: Numbers) -> tuple[tuple[str, ...], Numbers]:
    """Without readings that contradict themselves: 0 dBm is 1 mW, so 0.0 dBm beside 0.0 mW is no reading.

    A lane that is left with no reading of light at all is no lane.
    """
    names = [name.removeprefix("lane_N_") for name in event.fields]
    kept: list[str] = []
    numbers: list[float | None] = []
    for index, lane in enumerate(lanes):
        row = list(values[index * len(names) : (index + 1) * len(names)])
        light = False
        for direction in ("rx", "tx"):
            dbm, power = names.index(f"{direction}_dbm"), names.index(f"{direction}_power")
            if row[dbm] == 0 and row[power] == 0:
                row[dbm] = row[power] = None
            light = light or row[dbm] is not None or row[power] is not None
        if light:
            kept.append(lane)
            numbers += row
    return tuple(kept), tuple(numbers)


_LANE = re.compile(r"lane_(\d{1,2})_(.+)", re.ASCII)


def _tolerant(event: EventType, data: str) -> Observation:
    """Read an event field by field, so that one odd value never costs the others."""
    document = _json(data)
    timestamp, rejected = _stamp(document)
    circuit: list[str] = []
    for name in event.circuit:
        raw = document.get(name)
        if name == "vlan":
            raw, odd = _vlan(raw)
            rejected += odd
        elif not _clean(raw, MAX_ID):
            raise NoCircuitId(f"an event {event.name} has no usable {name}")
        circuit.append(str(raw))
    unknown = 0
    found: dict[tuple[int, str], float | None] = {}
    for key, value in document.items():
        lane, field = 0, key
        if event.has_lanes and (match := _LANE.fullmatch(key)):
            lane, field = int(match[1]), f"lane_N_{match[2]}"
        if field in event.fields:
            try:
                number = _number(value)
                if number is not None and number < 0 and event.fields[field].kind == "counter":
                    raise ValueError("a count below zero")
            except ValueError:
                number = None
                rejected += 1
            found[lane, field] = number
        elif field not in event.ignored and field not in event.circuit:
            unknown += 1
    numbers = sorted({lane for lane, _ in found}) if event.has_lanes else [0]
    values = tuple(found.get((lane, field)) for lane in numbers for field in event.fields)
    lanes = tuple(map(str, numbers)) if event.has_lanes else ()
    if event.has_lanes:
        lanes, values = _drop_dark(event, lanes, values)
    return Observation(event, tuple(circuit), lanes, values, timestamp, rejected, unknown)


_EXPECTED_LANES = ("0", "1", "2", "3")


@dataclass(frozen=True)
class _Exact:
    """The quick way: an event that has exactly the documented fields with exactly the documented types."""

    keys: int
    decode: Callable[[str], Any]


def _exact(event: EventType) -> _Exact:
    """A decoder built from the table; what it refuses, :func:`_tolerant` reads."""
    count = Annotated[float, msgspec.Meta(ge=0)]
    text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
    columns: list[tuple[str, Any]] = [(name, text) for name in event.circuit if name != "vlan"]
    columns += [("vlan", int | str | None)] if "vlan" in event.circuit else []
    columns.append(("timestamp", str))
    for lane in _EXPECTED_LANES if event.has_lanes else ("",):
        for name, family in event.fields.items():
            kind = count if family.kind == "counter" else float
            columns.append((name.replace("lane_N", f"lane_{lane}"), kind | None))
    ignored = sum(len(_EXPECTED_LANES) if "lane_N" in name else 1 for name in event.ignored)
    struct = msgspec.defstruct("Row", columns, gc=False)
    # "timestamp" is among the ignored and among the columns.
    return _Exact(len(columns) + ignored - 1, msgspec.json.Decoder(struct).decode)


_EXACT = {name: _exact(event) for name, event in EVENTS.items()}
_ACTIVITY = {f"customer|{category}": category for category in CATEGORIES}
_ACTIVITY_FIELDS = {"user", "log_level", "category", "event", "message", "timestamp"} | {
    # In no schema, but in the API's examples or in its Terraform provider.
    *("ip_address", "circuit_id", "lag", "lag_circuit_id", "workflow_id")
}


def _observation(event: EventType, data: str) -> Observation:
    exact = _EXACT[event.name]
    # As many keys as documented, all of them required: no field is unknown, and no lane is a fifth.
    if data.count('":') == exact.keys:
        try:
            row = msgspec.structs.astuple(exact.decode(data))
        except (msgspec.DecodeError, RecursionError):
            return _tolerant(event, data)
        split = len(event.circuit)
        circuit, timestamp, values = row[:split], epoch(row[split]), row[split + 1 :]
        if timestamp is not None:
            if event.has_lanes:
                lanes, values = _drop_dark(event, _EXPECTED_LANES, values)
                return Observation(event, circuit, lanes, values, timestamp)
            if event.circuit[-1] == "vlan":
                vlan, rejected = _vlan(circuit[-1])
                return Observation(event, (*circuit[:-1], vlan), (), values, timestamp, rejected)
            return Observation(event, circuit, (), values, timestamp)
    return _tolerant(event, data)


def _activity(category: str, data: str) -> Activity:
    document = _json(data)
    timestamp, rejected = _stamp(document)
    level = document.get("log_level")
    if isinstance(level, float) and level in range(len(LOG_LEVELS)):
        level = LOG_LEVELS[int(level)]
    level = level.lower() if isinstance(level, str) else OTHER
    if level not in LOG_LEVELS:
        level = OTHER
        rejected += 1
    details = {key: value for key, value in document.items() if isinstance(value, str)}
    unknown = sum(key not in _ACTIVITY_FIELDS for key in document)
    return Activity(category, level, timestamp, details, rejected, unknown)


def decode(name: str, data: str) -> Observation | Activity | None:
    """What the event ``name`` with ``data`` says; None for a name that is none of ours.

    Raises :class:`pf_exporter.errors.EventError` where the whole event is unusable.
    """
    event = EVENTS.get(name)
    if event is not None:
        return _observation(event, data)
    if name.startswith("customer|"):
        return _activity(_ACTIVITY.get(name, OTHER), data)
    return None
