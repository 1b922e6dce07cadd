"""The values of an event's fields as text, in the units of their metrics."""

from __future__ import annotations

from collections.abc import Iterator

from pf_exporter.formatting import si
from pf_exporter.schema import Observation, unit
from pf_exporter.tail.event_filter import EventFilter

DIGITS = 4
"""Significant digits of a value with an SI prefix."""

_SYMBOLS = {
    "bytes_per_second": "bit/s",
    "packets_per_second": "packets/s",
    "bytes": "B",
    "watts": "W",
    "amperes": "A",
}
"""By unit of a metric; bytes per second are shown as bits per second."""


def format_value(number: float, metric: str) -> str:
    """Format a number in the unit of its metric; ``number`` is the metric's value.

    >>> format_value(1.5e8, "packetfabric_port_receive_bytes_per_second")
    '1.2 Gbit/s'
    >>> format_value(12345.0, "packetfabric_port_receive_runts_total")
    '12,345'
    """
    name = unit(metric)
    if name == "dbm":
        return f"{number:.2f} dBm"
    if name not in _SYMBOLS:
        return f"{number:,.0f}" if number.is_integer() else f"{number:,.6g}"
    factor = 8 if name == "bytes_per_second" else 1
    return si(number * factor, _SYMBOLS[name], digits=DIGITS)


def field_values(observation: Observation, event_filter: EventFilter) -> Iterator[tuple[str, str]]:
    """The fields to show, by the API's names, with their values as text."""
    fields = observation.event.fields
    names = [name.replace("_N_", f"_{lane}_") for lane in observation.lanes for name in fields]
    families = list(fields.values()) * max(len(observation.lanes), 1)
    for name, family, value in zip(names or fields, families, observation.values, strict=True):
        if value is not None and event_filter.matches_value(name, value):
            yield name, format_value(value / family.divisor, family.name)
