"""The optical module of a port: its thresholds, temperature and voltage, and the port's last flap."""

from __future__ import annotations

import operator
import re
from typing import Any

from pf_exporter.schema.family import FamilySpec, gauge
from pf_exporter.schema.polled_resource import (
    HOUR,
    MINUTE,
    PolledRequest,
    PolledResource,
    ReadContext,
    Reading,
    Sample,
    Scope,
    listed,
    number,
)
from pf_exporter.schema.timestamps import epoch

_DEVICE_PATH = "/v2/ports/{id}/device-info"
_OPTICS_PATH = "/v2/metrics/ifd/optic-data/{id}"
_DEVICE_SOURCE = _DEVICE_PATH.format(id="{port_circuit_id}")
_OPTICS_SOURCE = _OPTICS_PATH.format(id="{port_circuit_id}")

LEVELS = {
    "high_alarm": "high_alarm",
    "high_warning": "high_warn",
    "low_warning": "low_warn",
    "low_alarm": "low_alarm",
}
"""By value of the label ``threshold``, its name in the API."""

# Routers add a zone and an age: "2020-08-20 22:08:37 UTC (1w2d 03:04 ago)".
_FLAPPED = re.compile(
    r"(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?: ?(?:UTC|Z|[+-]00:?00))?(?: \(.*)?"
)


def _threshold_family(direction: str, prefix: str) -> FamilySpec:
    return gauge(
        f"port_optical_{direction}_power_threshold_dbm",
        f"Threshold of the optical module for its {direction} power; polled",
        ("port_circuit_id", "threshold"),
        f"{_DEVICE_SOURCE} {prefix}_power_*_threshold_dbm",
    )


RECEIVE_THRESHOLD = _threshold_family("receive", "rx")
TRANSMIT_THRESHOLD = _threshold_family("transmit", "tx")
LAST_FLAP = gauge(
    "port_last_flap_timestamp_seconds",
    "When the port last changed between up and down; polled",
    ("port_circuit_id",),
    f"{_DEVICE_SOURCE} time_flapped",
)
TEMPERATURE = gauge(
    "port_temperature_celsius",
    "Temperature of the optical module; polled",
    ("port_circuit_id",),
    _OPTICS_SOURCE,
)
VOLTAGE = gauge(
    "port_voltage_volts",
    "Supply voltage of the optical module; polled",
    ("port_circuit_id",),
    _OPTICS_SOURCE,
)


def _read_device(body: Any, context: ReadContext) -> Reading:
    if not isinstance(body, dict):
        raise ValueError("not an object")
    samples: list[Sample] = []
    rejected: list[str] = []
    for family, prefix in ((RECEIVE_THRESHOLD, "rx"), (TRANSMIT_THRESHOLD, "tx")):
        for label, level in LEVELS.items():
            field = f"{prefix}_power_{level}_threshold_dbm"
            raw = body.get(field)
            threshold = number(raw)
            if threshold is not None:
                samples.append(Sample(family.name, (context.target, label), threshold))
            elif raw is not None:
                rejected.append(field)
    flapped = body.get("time_flapped")
    if isinstance(flapped, str) and flapped.strip() and flapped.strip().lower() != "never":
        match = _FLAPPED.fullmatch(flapped.strip()[:100])
        at = epoch(match[1]) if match is not None else None
        if at is None:
            rejected.append("time_flapped")
        else:
            samples.append(Sample(LAST_FLAP.name, (context.target,), at))
    return Reading(tuple(samples), rejected=tuple(rejected))


def _read_optics(body: Any, context: ReadContext) -> Reading:
    """The newest row is used: ``[time, temperature, voltage, …]``; any value but the time can be null."""
    measured = [(at, row) for row in listed(body) if (at := _measured_at(row)) is not None]
    if not measured:
        return Reading()
    measured_at, row = max(measured, key=operator.itemgetter(0))
    samples = tuple(
        Sample(family.name, (context.target,), value)
        for family, raw in zip((TEMPERATURE, VOLTAGE), row[1:3], strict=False)
        if (value := number(raw)) is not None
    )
    return Reading(samples, measured_at=measured_at)


def _measured_at(row: object) -> float | None:
    """The time of a row that has a temperature or a voltage, in UNIX seconds."""
    if not isinstance(row, list) or not any(number(raw) is not None for raw in row[1:3]):
        return None
    raw = row[0]
    return float(raw) if isinstance(raw, int | float) and 0 < raw < 1e11 else None


PORT_DEVICES = PolledResource(
    name="port_device",
    title="Thresholds of optical modules, and last flaps of ports",
    requests=(PolledRequest(_DEVICE_PATH),),
    period=HOUR,
    read=_read_device,
    families=(RECEIVE_THRESHOLD, TRANSMIT_THRESHOLD, LAST_FLAP),
    scope=Scope.PORT,
    setting="optics",
)
PORT_OPTICS = PolledResource(
    name="port_optics",
    title="Temperature and voltage of optical modules",
    requests=(PolledRequest(_OPTICS_PATH, query={"since": "1 hour ago"}),),
    period=15 * MINUTE,
    read=_read_optics,
    families=(TEMPERATURE, VOLTAGE),
    scope=Scope.PORT,
    setting="optics",
    max_age=6 * HOUR,
)
