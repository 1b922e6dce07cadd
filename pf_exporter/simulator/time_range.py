"""The time range of a request for metrics or logs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from pf_exporter.simulator.errors import BadRequest
from pf_exporter.simulator.traffic import DAY

_MAX_RANGE = 366 * DAY
_DEFAULT_SINCE = "1 hour ago"

_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": DAY, "week": 7 * DAY}
_RELATIVE = re.compile(rf"(\d+) ({'|'.join(_UNITS)})s? ago")
_ABSOLUTE = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)(?:[T ](?P<minute>\d\d:\d\d)(?::(?P<second>\d\d)(?P<fraction>\.\d{1,6})?)?)?"
    # The description of the API has both in one example, Z+02:00.
    r"Z?(?:(?P<sign>[+-])(?P<hours>\d\d):?(?P<minutes>\d\d))?"
)


class TimeRange(NamedTuple):
    """The first and the last time that are included, in UNIX seconds."""

    start: float
    end: float


def parse_time(name: str, text: str) -> float:
    """Return ISO 8601 as UNIX seconds, UTC without a zone; raises :class:`BadRequest` with ``name``.

    >>> parse_time("start", "2024-01-01 00:00:00"), parse_time("start", "2024-01-01T01:00:00.5+0100")
    (1704067200.0, 1704067200.5)
    """
    match = _ABSOLUTE.fullmatch(text)
    if match is None:
        raise BadRequest(f"{name}: invalid datetime format")
    group = match.groupdict()
    try:
        time = datetime.fromisoformat(
            f"{group['date']}T{group['minute'] or '00:00'}:{group['second'] or '00'}"
        )
    except ValueError as exc:
        raise BadRequest(f"{name}: {exc}") from exc
    offset = timedelta(hours=int(group["hours"] or 0), minutes=int(group["minutes"] or 0))
    time -= -offset if group["sign"] == "-" else offset
    return time.replace(tzinfo=timezone.utc).timestamp() + float(group["fraction"] or 0)


def metrics_range(query: Mapping[str, str], now: float) -> TimeRange:
    """Return the range of a request for metrics, by default the last hour; it never extends beyond ``now``.

    ``start`` and ``end`` take precedence over ``since`` and ``until``.
    """
    start = _point(query, "start", "since", _DEFAULT_SINCE, now)
    end = _point(query, "end", "until", "now", now)
    if end - start > _MAX_RANGE:
        raise BadRequest("start: maximum date range is 366 days")
    return TimeRange(start, min(end, now))


def log_range(query: Mapping[str, str], default: TimeRange | None = None) -> TimeRange:
    """Return ``time_from`` and ``time_to``; raises :class:`BadRequest` if one without default is missing."""
    start, end = (
        parse_time(name, query[name]) if name in query else default[index] if default else _require(name)
        for index, name in enumerate(("time_from", "time_to"))
    )
    return TimeRange(start, end)


def _require(name: str) -> float:
    raise BadRequest(f"{name}: field required")


def _point(query: Mapping[str, str], absolute: str, relative: str, default: str, now: float) -> float:
    if absolute in query:
        return parse_time(absolute, query[absolute])
    text = query.get(relative, default).strip().lower()
    match = _RELATIVE.fullmatch(text)
    if match:
        return now - int(match[1]) * _UNITS[match[2]]
    if text != "now":
        raise BadRequest(f"{relative}: a relative time such as '12 hours ago' is required")
    return now
