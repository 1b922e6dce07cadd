"""Points in time as text."""

from __future__ import annotations

import time

from pf_exporter.formatting import duration
from pf_exporter.web.page_values import Moment


def moment(at: float, now: float, *, with_date: bool = False) -> Moment:
    """A time in UNIX seconds; within a day of now its text has a date only ``with_date``."""
    date, clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at)).split(" ")
    text = f"{date} {clock}" if with_date or abs(now - at) >= 86_400 else clock
    return Moment(f"{text} UTC", f"{date}T{clock}Z", duration(abs(now - at)))
