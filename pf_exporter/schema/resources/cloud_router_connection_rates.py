"""Rates of cloud router connections: ``/v2/metrics/cloud-router-connections/{id}/rate/{type}``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pf_exporter.schema.family import FamilySpec
from pf_exporter.schema.parsers import Samples, parse_count
from pf_exporter.schema.resources.cloud_router_connections import CLOUD_ROUTER_CONNECTIONS

RATE_PATH = "/v2/metrics/cloud-router-connections/{}/rate/{}"
"""Where they are, by connection and type."""


def _family(direction: str, unit: str, type_: str, divisor: int) -> FamilySpec:
    return FamilySpec(
        f"packetfabric_cloud_router_connection_{direction}_{unit}_per_second",
        "gauge",
        f"Rate at which the connection {direction}s {unit}, the latest there is"
        f"{'; the API gives bits per second' * (divisor == 8)}; polled, not streamed",
        ("account", CLOUD_ROUTER_CONNECTIONS.key),
        RATE_PATH.format("{id}", type_),
        divisor,
    )


RATES: Mapping[str, tuple[FamilySpec, FamilySpec]] = MappingProxyType(
    {
        "bps": (_family("receive", "bytes", "bps", 8), _family("transmit", "bytes", "bps", 8)),
        "pps": (_family("receive", "packets", "pps", 1), _family("transmit", "packets", "pps", 1)),
    }
)
"""By type of rate the families of its two directions."""


def latest(rows: object, type_: str) -> tuple[float, Mapping[str, Samples]] | None:
    """When the newest row was taken (UNIX seconds), and its samples by family; None where no row can be used.

    A row is ``[time, rx average, rx min, rx max, tx average, tx min, tx max]``.
    """
    best: tuple[float, ...] = ()
    for row in rows if isinstance(rows, list) else ():
        try:
            if isinstance(row, list):
                best = max(best, tuple(parse_count(row[column]) for column in (0, 1, 4)))
        except (ValueError, LookupError, OverflowError):
            continue
    if not best:
        return None
    directions = zip(RATES[type_], best[1:], strict=True)
    return best[0], {family.name: [((), number / family.divisor)] for family, number in directions}
