"""The times to fill: from command-line arguments, in requests of a bounded length."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import NamedTuple

from pf_exporter.config import duration
from pf_exporter.schema import MAX_TIMESTAMP, epoch

RECENT = 3 * 3600.0
"""Seconds before now that are left out: Prometheus still holds them in its head block."""
GRANULARITY = 60.0
"""Seconds between two rows of the history."""
REQUEST_SPAN = 7 * 86_400.0
"""Longest time that one request asks for: about 10,000 rows."""


class TimeSpan(NamedTuple):
    """A time from ``start`` on and before ``end``, in UNIX seconds."""

    start: float
    end: float


def parse_moment(text: str, now: float) -> float:
    """Return a moment in UNIX seconds: an RFC 3339 time, a date, or a duration before ``now``.

    Raises ``ValueError``.

    >>> parse_moment("1h", 10_000.0), parse_moment("1970-01-02", 0.0)
    (6400.0, 86400.0)
    """
    if len(text) <= MAX_TIMESTAMP:
        for form in (text, f"{text}T00:00:00Z"):
            if (moment := epoch(form)) is not None:
                return moment
    try:
        return now - duration(text)
    except ValueError:
        raise ValueError("expected a time such as 2026-01-31T12:00:00Z, or a duration such as 24h") from None


def format_moment(at: float) -> str:
    """Return a time in UTC as RFC 3339, in seconds."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def limited(spans: Iterable[TimeSpan], start: float, end: float) -> list[TimeSpan]:
    """Return what lies between two moments, sorted and joined, without spans that no row can fall into."""
    result: list[TimeSpan] = []
    for span in sorted(spans):
        first = math.ceil(max(span.start, start) / GRANULARITY) * GRANULARITY
        last = min(span.end, end)
        if first >= last:
            continue
        if result and first <= result[-1].end:
            result[-1] = TimeSpan(result[-1].start, max(last, result[-1].end))
        else:
            result.append(TimeSpan(first, last))
    return result


def requests(span: TimeSpan) -> Iterator[TimeSpan]:
    """Yield the parts of a span that one request each asks for; their limits do not depend on the span's."""
    start = span.start
    while start < span.end:
        end = min((math.floor(start / REQUEST_SPAN) + 1) * REQUEST_SPAN, span.end)
        yield TimeSpan(start, end)
        start = end
