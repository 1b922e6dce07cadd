"""Rows of the stream for tests."""

from __future__ import annotations

import time

from msgspec.structs import replace

from pf_exporter.remote_write.series import RowItem
from pf_exporter.schema import EVENTS
from pf_exporter.state import Row

ERRORS = EVENTS["port|errors"]
METRICS = EVENTS["port|metrics"]
OPTICAL = EVENTS["port|optical"]
VC_METRICS = EVENTS["vc|metrics"]

NOW = 1_700_000_000.0
"""A time in UNIX seconds."""


def metrics_row(value: float = 1.0, at: float = NOW, port: str = "PF-AP-LAX1-1") -> RowItem:
    """A row of port|metrics: all values are ``value`` plus the number of the field."""
    values = tuple(value + index for index in range(len(METRICS.fields)))
    return RowItem("east", METRICS, (port,), Row((), values, at, 0.0, at))


def expired(item: RowItem) -> RowItem:
    """The row that the store hands over when the circuit has expired."""
    return item._replace(row=replace(item.row, lanes=(), values=(), timestamp=None))


def now_ms() -> int:
    """The present time in UNIX milliseconds."""
    return round(time.time() * 1000)
