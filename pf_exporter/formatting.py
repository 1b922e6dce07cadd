"""Durations and quantities as text for people."""

from __future__ import annotations

NO_VALUE = "–"
"""Stands for a value that is not known."""

_DURATION_UNITS = (("d", 86_400), ("h", 3600), ("min", 60))
_SI_PREFIXES = (
    ("E", 1e18),
    ("P", 1e15),
    ("T", 1e12),
    ("G", 1e9),
    ("M", 1e6),
    ("k", 1e3),
    ("", 1.0),
    ("m", 1e-3),
    ("µ", 1e-6),
)


def duration(seconds: float) -> str:
    """Format seconds in the largest unit of which there are at least two.

    >>> duration(90), duration(7200)
    ('90 s', '2 h')
    """
    for unit, size in _DURATION_UNITS:
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0.0):.0f} s"


def si(number: float, unit: str, *, digits: int = 3, zeros: bool = False) -> str:
    """Format a quantity with an SI prefix, to a number of significant digits.

    With ``zeros`` a multiple keeps trailing zeros, so that values below each other have the same width.

    >>> si(1.25e9, "bit/s"), si(0.00045, "W"), si(999_999, "B")
    ('1.25 Gbit/s', '450 µW', '1 MB')
    >>> si(1e9, "bit/s", zeros=True), si(12.5e3, "bit/s", zeros=True), si(8, "bit/s", zeros=True)
    ('1.00 Gbit/s', '12.5 kbit/s', '8 bit/s')
    """
    rounded = float(f"{number:.{digits}g}")  # Before the choice: 999,999 rounds to a million.
    prefix, size = next((row for row in _SI_PREFIXES if abs(rounded) >= row[1]), ("", 1.0))
    if zeros and size > 1:
        return f"{rounded / size:#.{digits}g}".rstrip(".") + f" {prefix}{unit}"
    return f"{rounded / size:.{digits}g} {prefix}{unit}"


def bit_rate(bits_per_second: float | None, *, zeros: bool = False) -> str:
    """Format a bit rate, to whole bits; ``zeros`` as for :func:`si`.

    >>> bit_rate(1.25e9), bit_rate(0.4), bit_rate(None)
    ('1.25 Gbit/s', '0 bit/s', '–')
    """
    return NO_VALUE if bits_per_second is None else si(round(bits_per_second), "bit/s", zeros=zeros)
