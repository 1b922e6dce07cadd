"""Timestamps of the API as UNIX seconds."""

from __future__ import annotations

import functools
import re
from datetime import datetime, timedelta, timezone, tzinfo

MAX_TIMESTAMP = 64
"""Longest timestamp, in characters; bounds the memory of the cache."""

_TIMESTAMP = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?"
    r"(?: ?(?:[Zz]|([+-])([01]\d|2[0-3]):?([0-5]\d)))?",
    re.ASCII,
)


@functools.lru_cache(maxsize=1024)
def epoch(text: str) -> float | None:
    """UNIX seconds of a timestamp in any of the API's forms, or None; without a zone it is UTC.

    The forms: the zone is ``+00:00``, ``+0000``, ``Z`` or missing; the fraction has up to nine digits or is
    missing; the separator is ``T`` or a space. The events of one sample share their timestamp, hence the
    cache; pass at most ``MAX_TIMESTAMP`` characters.

    >>> epoch("2021-08-06T16:23:12.5+0000") == epoch("2021-08-06 18:23:12.500+02:00")
    True
    """
    return epoch_in(text, timezone.utc)


def epoch_in(text: str, zone: tzinfo) -> float | None:
    """UNIX seconds of a timestamp, which is in ``zone`` if it names none itself; None if it is unusable."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        return None
    *clock, fraction, sign, hours, minutes = match.groups()
    if sign or text[-1] in "Zz":
        zone = timezone.utc
    try:
        moment = datetime(*map(int, clock), tzinfo=zone)  # type: ignore[misc, arg-type]  # six numbers
        seconds = moment.timestamp() + float(f"0.{fraction or 0}")
    except (ValueError, OverflowError):  # such as 30 February
        return None
    if sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes)).total_seconds()
        seconds -= offset if sign == "+" else -offset
    return seconds


def parse_timestamp(raw: object) -> tuple[float | None, int]:
    """UNIX seconds or None, and 1 if a value is present but unusable, else 0."""
    seconds = epoch(raw) if isinstance(raw, str) and len(raw) <= MAX_TIMESTAMP else None
    return seconds, int(seconds is None and raw is not None)
