"""Optical lanes: how they are numbered in the names of fields, and which of them carry light."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pf_exporter.schema.observation import Numbers

_LANE = re.compile(r"lane_(\d{1,2})_", re.ASCII)
_FIELDS_PER_LANE = 6


def lane_field(field: str, lane: int) -> str:
    """The key in an event of a field of the table: ``lane_N_rx_dbm`` becomes ``lane_0_rx_dbm``."""
    return field.replace("_N_", f"_{lane}_")


def table_field(key: str) -> str:
    """The field of the table for a key in an event: ``lane_0_rx_dbm`` becomes ``lane_N_rx_dbm``."""
    return _LANE.sub("lane_N_", key)


def lane_numbers(keys: Iterable[str]) -> list[int]:
    """The numbers of the lanes that the keys of an event name, in ascending order."""
    return sorted({int(match[1]) for match in map(_LANE.match, keys) if match})


def drop_dark_lanes(lanes: Iterable[int], values: Iterable[float | None]) -> tuple[tuple[str, ...], Numbers]:
    """The lanes that carry light, and their values without contradictory readings.

    ``values`` holds six numbers per lane, in the order of the table. 0 dBm is 1 mW, so 0.0 dBm together with
    0.0 mW is not a reading; a lane without any reading of optical power is dark, and is dropped.
    """
    active: list[str] = []
    numbers: list[float | None] = []
    rows = zip(lanes, *[iter(values)] * _FIELDS_PER_LANE, strict=False)
    for lane, rx_dbm, tx_dbm, rx_power, tx_power, output_power, bias_current in rows:
        if rx_dbm == 0 == rx_power:
            rx_dbm = rx_power = None
        if tx_dbm == 0 == tx_power:
            tx_dbm = tx_power = None
        light = (rx_dbm, tx_dbm, rx_power, tx_power)
        if light != (None, None, None, None):
            active.append(str(lane))
            numbers += (*light, output_power, bias_current)
    return tuple(active), tuple(numbers)
