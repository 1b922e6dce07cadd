"""The history of one circuit: its readings at past minutes, in the unnamed rows of ``/v2/metrics``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import TypeVar

from starlette.exceptions import HTTPException

from pf_exporter.simulator.pagination import integer
from pf_exporter.simulator.time_range import metrics_range
from pf_exporter.simulator.traffic import Reading

_Value = TypeVar("_Value")

GRANULARITY = 60

MetricsRow = list[float | None]
"""A time in UNIX seconds, then values without names."""


def minutes(query: Mapping[str, str], now: float) -> range:
    """Return the minutes in the requested time range, as UNIX seconds."""
    start, end = metrics_range(query, now)
    return range(math.ceil(start / GRANULARITY) * GRANULARITY, math.floor(end) + 1, GRANULARITY)


def rate_rows(
    query: Mapping[str, str],
    now: float,
    rate_type: str,
    read: Callable[[int], tuple[Reading, Reading] | None],
) -> list[MetricsRow]:
    """Return the rates in ``rate_type``, bps or pps, that ``read`` returns as received and transmitted.

    A row is the time, then average, minimum and maximum received, then the same transmitted: of one minute,
    or of ``interval`` seconds. A minute for which ``read`` returns None has no row.
    """
    if rate_type not in ("bps", "pps"):
        raise HTTPException(404, "Type of rate not found.")
    readings = ((minute, read(minute)) for minute in minutes(query, now))
    values = (
        (minute, [getattr(reading, rate_type) for reading in pair])
        for minute, pair in readings
        if pair is not None
    )
    return [
        [start, *_summary(received), *_summary(transmitted)]
        for start, group in _grouped(values, _interval(query))
        for received, transmitted in [zip(*group, strict=True)]
    ]


def mean_rows(
    query: Mapping[str, str], rows: Iterable[tuple[int, list[float | None]]]
) -> Iterator[MetricsRow]:
    """Yield rows as they are, or averages of ``interval`` seconds; a value that is None stays None."""
    for start, group in _grouped(rows, _interval(query)):
        columns = [[value for value in column if value is not None] for column in zip(*group, strict=True)]
        yield [start, *(_mean(column) if column else None for column in columns)]


def _mean(values: list[float]) -> float:
    """Return the mean; whole numbers have one that is a whole number, as the API describes it."""
    if all(isinstance(value, int) for value in values):
        return sum(values) // len(values)
    return sum(values) / len(values)


def _interval(query: Mapping[str, str]) -> int:
    return max(GRANULARITY, integer(query, "interval", GRANULARITY, minimum=1))


def _grouped(
    rows: Iterable[tuple[int, list[_Value]]], interval: int
) -> Iterator[tuple[int, list[list[_Value]]]]:
    """Yield the rows of each interval under the time at which it starts."""
    for start, group in groupby(rows, lambda row: row[0] // interval * interval):
        yield start, [values for _, values in group]


def _summary(values: tuple[int, ...]) -> tuple[int, int, int]:
    return sum(values) // len(values), min(values), max(values)
