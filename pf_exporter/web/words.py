"""Points in time as HTML."""

from __future__ import annotations

import time

from pf_exporter.formatting import duration
from pf_exporter.web.markup import Markup, joined, tag


def moment(at: float) -> Markup:
    """UNIX seconds as a date and a time."""
    exact = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))
    return tag("time", f"{exact} UTC", datetime=exact.replace(" ", "T") + "Z")


def ago(at: float) -> Markup:
    """How long ago it was, and when."""
    seconds = time.time() - at
    exact = moment(at) if seconds >= 86_400 else tag("time", time.strftime("%H:%M:%S UTC", time.gmtime(at)))
    return joined((duration(seconds), " ago ", tag("small", exact)))
