"""Durations and sizes, with the units of Prometheus, as text and as numbers."""

from __future__ import annotations

import math
import re

_DAY = 86_400_000
_MILLISECONDS = {"y": 365 * _DAY, "w": 7 * _DAY, "d": _DAY, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION = re.compile("".join(rf"(?:([0-9]{{1,11}}){unit})?" for unit in _MILLISECONDS))

_BYTES = {"GiB": 1024**3, "MiB": 1024**2, "KiB": 1024, "B": 1}
_SIZE = re.compile(rf"([1-9][0-9]{{0,8}})({'|'.join(_BYTES)})")


def duration(text: str) -> float:
    """Seconds of ``90s``, ``1h30m`` or ``500ms``, at most 365 days; only 0 needs no unit, as in Prometheus.

    >>> duration("1h30m"), duration("500ms"), duration("0")
    (5400.0, 0.5, 0.0)
    """
    if text == "0":
        return 0.0
    match = _DURATION.fullmatch(text)
    if match is None or not text:
        raise ValueError("expected a duration with a unit, such as 90s, 10m, 1h30m or 500ms")
    amounts = zip(match.groups("0"), _MILLISECONDS.values(), strict=True)
    seconds = sum(int(amount) * milliseconds for amount, milliseconds in amounts) / 1000
    if seconds > 365 * 86_400:
        raise ValueError("expected a duration of at most 365d")
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest text of a duration with one unit, from days to milliseconds.

    >>> format_duration(6900), format_duration(0.5), format_duration(0)
    ('115m', '500ms', '0')
    """
    if math.isinf(seconds):
        return "unlimited"
    milliseconds = round(seconds * 1000)
    if not milliseconds:
        return "0"
    unit, size = next(
        (unit, size)
        for unit, size in _MILLISECONDS.items()
        if unit not in ("y", "w") and milliseconds % size == 0
    )
    return f"{milliseconds // size}{unit}"


def size(text: str) -> int:
    """Bytes of ``64MiB``; the units are powers of 1024.

    >>> size("64MiB"), size("512B")
    (67108864, 512)
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError("expected a size with a unit, such as 512KiB, 64MiB or 1GiB")
    return int(match[1]) * _BYTES[match[2]]


def format_size(number: int) -> str:
    """The shortest text of a number of bytes with one unit.

    >>> format_size(67108864), format_size(1500)
    ('64MiB', '1500B')
    """
    unit, size = next((unit, size) for unit, size in _BYTES.items() if number % size == 0)
    return f"{number // size}{unit}"
