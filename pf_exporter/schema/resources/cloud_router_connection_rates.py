"""Rates of cloud router connections: ``/v2/metrics/cloud-router-connections/{id}/rate/{type}``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pf_exporter.schema.family import FamilySpec, MetricType
from pf_exporter.schema.parsers import Samples, parse_count
from pf_exporter.schema.resources.cloud_router_connections import CLOUD_ROUTER_CONNECTIONS

RATE_PATH = "/v2/metrics/cloud-router-connections/{}/rate/{}"
"""The path of the rates of one connection and type."""


def _family(direction: str, unit: str, type_: str, *, divisor: int = 1, note: str = "") -> FamilySpec:
    verb = {"receive": "received", "transmit": "transmitted"}[direction]
    return FamilySpec(
        f"packetfabric_cloud_router_connection_{direction}_{unit}_per_second",
        MetricType.GAUGE,
        f"{unit.capitalize()} per second {verb} by the connection, latest rate available{note};"
        " polled, not streamed",
        ("account", CLOUD_ROUTER_CONNECTIONS.key),
        RATE_PATH.format("{id}", type_),
        divisor,
    )


_BITS = "; the API gives bits per second"

RATES: Mapping[str, tuple[FamilySpec, FamilySpec]] = MappingProxyType(
    {
        "bps": (
            _family("receive", "bytes", "bps", divisor=8, note=_BITS),
            _family("transmit", "bytes", "bps", divisor=8, note=_BITS),
        ),
        "pps": (_family("receive", "packets", "pps"), _family("transmit", "packets", "pps")),
    }
)
"""The families of the two directions, receive and transmit, by the type of the rate."""


def latest_rates(rows: object, type_: str) -> tuple[float, Mapping[str, Samples]] | None:
    """The time of the newest row in UNIX seconds, and its samples by family; None without a usable row.

    A row is ``[time, rx average, rx min, rx max, tx average, tx min, tx max]``.
    """
    newest: tuple[float, ...] = ()
    for row in rows if isinstance(rows, list) else ():
        try:
            if isinstance(row, list):
                newest = max(newest, tuple(parse_count(row[column]) for column in (0, 1, 4)))
        except (ValueError, LookupError, OverflowError):
            continue
    if not newest:
        return None
    time, *numbers = newest
    directions = zip(RATES[type_], numbers, strict=True)
    return time, {family.name: [((), number / family.divisor)] for family, number in directions}
