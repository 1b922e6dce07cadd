"""Rates of cloud router connections: ``/v2/metrics/cloud-router-connections/{id}/rate/{type}``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pf_exporter.schema.family import FamilySpec, gauge
from pf_exporter.schema.parsers import parse_count
from pf_exporter.schema.polled_resource import (
    MINUTE,
    PolledRequest,
    PolledResource,
    ReadContext,
    Reading,
    Sample,
    Scope,
    listed,
)
from pf_exporter.schema.resources.cloud_router_connections import CLOUD_ROUTER_CONNECTIONS

RATE_PATH = "/v2/metrics/cloud-router-connections/{}/rate/{}"
"""The path of the rates of one connection and type."""


def _family(direction: str, unit: str, type_: str, *, divisor: int = 1, note: str = "") -> FamilySpec:
    verb = {"receive": "received", "transmit": "transmitted"}[direction]
    return gauge(
        f"cloud_router_connection_{direction}_{unit}_per_second",
        f"{unit.capitalize()} per second {verb} by the connection, latest rate available{note};"
        " polled, not streamed",
        (CLOUD_ROUTER_CONNECTIONS.key,),
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


def _read(body: Any, context: ReadContext) -> Reading:
    """The newest row is used: ``[time, rx average, rx min, rx max, tx average, tx min, tx max]``."""
    newest: tuple[float, ...] = ()
    for row in listed(body):
        try:
            if isinstance(row, list):
                newest = max(newest, tuple(parse_count(row[column]) for column in (0, 1, 4)))
        except (ValueError, LookupError, OverflowError):
            continue
    if not newest:
        return Reading()
    measured_at, *numbers = newest
    samples = tuple(
        Sample(family.name, (context.target,), number / family.divisor)
        for family, number in zip(RATES[context.kind], numbers, strict=True)
    )
    return Reading(samples, measured_at=measured_at)


CLOUD_ROUTER_CONNECTION_RATES = PolledResource(
    name="cloud_router_connection_rates",
    title="Rates of cloud router connections",
    requests=tuple(
        PolledRequest(RATE_PATH.format("{id}", type_), type_, {"since": "1 hour ago"}) for type_ in RATES
    ),
    period=5 * MINUTE,
    read=_read,
    families=tuple(family for directions in RATES.values() for family in directions),
    scope=Scope.CLOUD_ROUTER_CONNECTION,
    setting="cloud_router_connections",
    max_age=20 * MINUTE,
)
