"""What one event says, decoded and checked against types built from the table."""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, NamedTuple

import msgspec

from pf_exporter.errors import NoCircuitId, NotJson, TooDeep
from pf_exporter.families import ACTIVITY_FIELDS, CATEGORIES, EVENTS, LOG_LEVELS, EventType

Numbers = tuple["float | None", ...]

OTHER = "other"
"""The label value for what the API's documentation does not list."""

MAX_ID = 256
"""Characters; the longest circuit id in any source has 30."""

MAX_VLAN = 32
"""Characters of a VLAN that is a text."""

MAX_TIMESTAMP = 64
"""Characters; what is longer is no timestamp, and must not fill the cache of them."""


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
    unknown: tuple[str, ...] = ()
    """The fields that the table does not know."""


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
    unknown: tuple[str, ...] = ()
    """The fields that the documentation does not know."""


_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?"
    r"(?: ?(?:[Zz]|([+-])([01]\d|2[0-3]):?([0-5]\d)))?",
    re.ASCII,
)


@functools.lru_cache(maxsize=1024)
def epoch(text: str) -> float | None:
    """UNIX seconds of a timestamp in any of the API's forms, or None; no zone means UTC.

    The forms: ``+00:00``, ``+0000``, ``Z`` or no zone; a fraction of any length or none; ``T`` or a blank.
    Events of one sample share their timestamp, hence the cache; it is for texts of ``MAX_TIMESTAMP`` at most.

    >>> epoch("2021-08-06T16:23:12.5+0000") == epoch("2021-08-06 18:23:12.500+02:00")
    True
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    *clock, fraction, sign, hours, minutes = match.groups()
    try:
        moment = datetime(*map(int, clock), tzinfo=timezone.utc)  # type: ignore[misc, arg-type]  # six numbers
    except ValueError:  # the 30th of February
        return None
    seconds = moment.timestamp() + float(f"0.{fraction or 0}")
    if sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes)).total_seconds()
        seconds -= offset if sign == "+" else -offset
    return seconds


def _is_label(text: object, limit: int) -> bool:
    """Whether a value is text that may become a label: not empty, not too long, encodable."""
    if not isinstance(text, str) or not 0 < len(text) <= limit:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: it would break every scrape
        return False
    return True


# Readers of one field: what it says, and 1 where something is there that cannot be used.

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_NO_LIGHT = re.compile(r"-\s?inf(?:inity)?", re.IGNORECASE | re.ASCII)


def _number(raw: object, *, is_count: bool) -> tuple[float | None, int]:
    if isinstance(raw, str):
        text = raw.strip()
        if not is_count and _NO_LIGHT.fullmatch(text):  # how routers print the power of dark fibre
            return None, 0
        if len(text) <= 64 and _NUMBER.fullmatch(text):
            raw = float(text)
    if isinstance(raw, float) and math.isfinite(raw) and (raw >= 0 or not is_count):
        return raw, 0
    return None, int(raw is not None)


def _stamp(raw: object) -> tuple[float | None, int]:
    seconds = epoch(raw) if isinstance(raw, str) and len(raw) <= MAX_TIMESTAMP else None
    return seconds, int(seconds is None and raw is not None)


def _vlan(raw: object) -> tuple[str, int]:
    """``4``, ``4.0`` and ``"4"`` are one VLAN; none at all is the empty text."""
    if raw is None or raw == "":
        return "", 0
    if isinstance(raw, int | float) and not isinstance(raw, bool) and raw % 1 == 0 and abs(raw) < 2**53:
        return str(int(raw)), 0
    if isinstance(raw, str) and _is_label(raw, MAX_VLAN):
        return raw, 0
    return "", 1


def _level(raw: object) -> tuple[str, int]:
    if isinstance(raw, float) and raw in range(len(LOG_LEVELS)):  # as the REST activity log has them
        raw = LOG_LEVELS[int(raw)]
    level = raw.lower() if isinstance(raw, str) else OTHER
    return (level, 0) if level in LOG_LEVELS else (OTHER, int(raw is not None))


# Readers of a whole event.

_LANE = re.compile(r"lane_(\d{1,2})_", re.ASCII)
_USUAL_LANES = range(4)
"""The lanes the API documents; an event with others is read the tolerant way."""
_ALL_LANES = tuple(map(str, _USUAL_LANES))


def _spelt(name: str, lane: int) -> str:
    """A field of the table as the event's key: ``lane_N_rx_dbm`` is ``lane_0_rx_dbm``."""
    return name.replace("_N_", f"_{lane}_")


def _lit(lanes: Iterable[int], values: Iterable[float | None]) -> tuple[tuple[str, ...], Numbers]:
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


def _json(data: str) -> dict[str, Any]:
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


def _tolerant(event: EventType, data: str) -> Observation:
    """Read an event field by field, so that one odd value never costs the others."""
    left = _json(data)  # what is read is taken out
    timestamp, rejected = _stamp(left.pop("timestamp", None))
    circuit: list[str] = []
    for name in event.circuit:
        text = left.pop(name, None)
        if name == "vlan":
            text, odd = _vlan(text)
            rejected += odd
        elif not _is_label(text, MAX_ID):
            raise NoCircuitId(f"an event {event.name} has no usable {name}")
        circuit.append(text)
    lanes = sorted({int(found[1]) for found in map(_LANE.match, left) if found}) if event.has_lanes else [0]
    values = []
    for lane in lanes:
        for name, family in event.fields.items():
            number, odd = _number(left.pop(_spelt(name, lane), None), is_count=family.kind == "counter")
            values.append(number)
            rejected += odd
        for name in event.ignored:
            left.pop(_spelt(name, lane), None)
    lit, numbers = _lit(lanes, values) if event.has_lanes else ((), tuple(values))
    return Observation(event, tuple(circuit), lit, numbers, timestamp, rejected, tuple(left))


def _struct(event: EventType) -> type[msgspec.Struct]:
    """A type built from the table: it refuses any field or type that is not documented."""
    text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID)]
    count = Annotated[float, msgspec.Meta(ge=0)]
    columns: list[Any] = [("timestamp", Annotated[str, msgspec.Meta(max_length=MAX_TIMESTAMP)])]
    for name in event.circuit:
        columns.append(("vlan", int | str | None, None) if name == "vlan" else (name, text))
    lanes = _USUAL_LANES if event.has_lanes else (0,)
    for lane in lanes:
        for name, family in event.fields.items():
            columns.append((_spelt(name, lane), (count if family.kind == "counter" else float) | None, None))
    # Behind all that is looked at: documented, but of no use.
    unused = [name for name in event.ignored if name != "timestamp"]
    columns += [(_spelt(name, lane), Any, None) for lane in lanes for name in unused]
    return msgspec.defstruct("Row", columns, forbid_unknown_fields=True, gc=False)


def _reader(event: EventType) -> Callable[[str], Observation]:
    """The quick way to read an event, which leaves what is not exactly as documented to the tolerant one."""
    exact = msgspec.json.Decoder(_struct(event)).decode
    astuple, new = msgspec.structs.astuple, tuple.__new__
    has_lanes, has_vlan = event.has_lanes, event.circuit[-1] == "vlan"
    first = 1 + len(event.circuit)
    last = first + len(event.fields) * (len(_USUAL_LANES) if has_lanes else 1)

    def read(data: str) -> Observation:
        try:
            row = astuple(exact(data))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return _tolerant(event, data)
        timestamp = epoch(row[0])
        if timestamp is None:
            return _tolerant(event, data)
        circuit, values = row[1:first], row[first:last]
        lanes: tuple[str, ...] = ()
        rejected = 0
        if has_vlan:
            vlan, rejected = _vlan(circuit[-1])
            circuit = (*circuit[:-1], vlan)
        elif has_lanes:
            # Usually no reading is missing, and none is 0, so that every lane is lit.
            lanes, values = (_ALL_LANES, values) if all(values) else _lit(_USUAL_LANES, values)
        # tuple.__new__ is half the cost of calling the class.
        return new(Observation, (event, circuit, lanes, values, timestamp, rejected, ()))

    return read


_READERS = {name: _reader(event) for name, event in EVENTS.items()}


def _activity(category: str, data: str) -> Activity:
    document = _json(data)
    timestamp, odd_stamp = _stamp(document.get("timestamp"))
    level, odd_level = _level(document.get("log_level"))
    details = {key: value for key, value in document.items() if isinstance(value, str)}
    unknown = tuple(key for key in document if key not in ACTIVITY_FIELDS)
    return Activity(category, level, timestamp, details, odd_stamp + odd_level, unknown)


def decode(name: str, data: str) -> Observation | Activity | None:
    """What the event ``name`` with ``data`` says; None for a name that is none of ours.

    Raises :class:`pf_exporter.errors.EventError` where the whole event is unusable.
    """
    read = _READERS.get(name)
    if read is not None:
        return read(data)
    if name.startswith("customer|"):
        category = name.removeprefix("customer|")
        return _activity(category if category in CATEGORIES else OTHER, data)
    return None
