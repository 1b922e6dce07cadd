"""Numbers and times, as people read them."""

from __future__ import annotations

import time

from pf_exporter.web.markup import Markup, joined, tag


def duration(seconds: float) -> str:
    """Seconds in the unit that suits them.

    >>> span(90), span(7200)
    ('90 s', '2 h')
    """
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(seconds, 0.0):.0f} s"


def moment(at: float) -> Markup:
    """UNIX seconds as a date and a time."""
    exact = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))
    return tag("time", f"{exact} UTC", datetime=exact.replace(" ", "T") + "Z")


def ago(at: float) -> Markup:
    """How long ago it was, and when."""
    seconds = time.time() - at
    exact = moment(at) if seconds >= 86_400 else tag("time", time.strftime("%H:%M:%S UTC", time.gmtime(at)))
    return joined((duration(seconds), " ago ", tag("small", exact)))


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
