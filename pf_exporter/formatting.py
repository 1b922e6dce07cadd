"""Quantities and durations as text for people."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Seconds in the unit that suits them.

    >>> span(90), span(7200)
    ('90 s', '2 h')
    """
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0.0):.0f} s"


def bits(number: float | None) -> str:
    """Bits per second.

    >>> bits(1.25e9), bits(None)
    ('1.25 Gbit/s', '–')
    """
    if number is None:
        return "–"
    for prefix, scale in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= scale:
            return f"{number / scale:.3g} {prefix}bit/s"
    return f"{number:.0f} bit/s"
