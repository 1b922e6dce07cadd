"""Points of presence: ``/v2/locations``."""

from __future__ import annotations

from typing import Any

from pf_exporter.schema.family import gauge
from pf_exporter.schema.polled_resource import (
    DAY,
    PolledRequest,
    PolledResource,
    ReadContext,
    Reading,
    Sample,
    rows,
    text,
)

_PATH = "/v2/locations"

POP_INFO = gauge(
    "pop_info",
    "Location of a POP in which the account has a circuit; coordinates in degrees",
    ("pop", "city", "latitude", "longitude", "timezone"),
    _PATH,
)


def _coordinate(raw: object, limit: float) -> str:
    """A coordinate as text; empty if it is missing or unusable."""
    try:
        number = float(raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else None
    except (ValueError, OverflowError):
        return ""
    return f"{number:.6f}".rstrip("0").rstrip(".") if number is not None and abs(number) <= limit else ""


def _read(body: Any, context: ReadContext) -> Reading:
    found: dict[str, Sample] = {}
    rejected: list[str] = []
    for item in rows(body):
        pop = text(item, "pop")
        if not pop:
            rejected.append("pop")
            continue
        place = (_coordinate(item.get("latitude"), 90), _coordinate(item.get("longitude"), 180))
        labels = (pop, text(item, "city"), *(place if all(place) else ("", "")), text(item, "timezone"))
        # A POP can have several sites; the first one that has coordinates stands for it.
        if pop not in found or not found[pop].labels[2]:
            found[pop] = Sample(POP_INFO.name, labels, 1.0)
    return Reading(tuple(found.values()), rejected=tuple(rejected))


POPS = PolledResource(
    name="pop",
    title="Locations of the POPs in use",
    requests=(PolledRequest(_PATH),),
    period=DAY,
    read=_read,
    families=(POP_INFO,),
)
