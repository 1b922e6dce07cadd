"""The contract: orders with their terms and prices, and flex bandwidth."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import NamedTuple

from starlette.exceptions import HTTPException

from pf_exporter.simulator.canaries import PRICE
from pf_exporter.simulator.pagination import Row
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources.resource import CREATED, Query, Resource, resource_uuid
from pf_exporter.simulator.resources.virtual_circuits import FLEX_BANDWIDTH_ID, uses_flex_bandwidth
from pf_exporter.simulator.traffic import DAY

_MONTH = 365.25 / 12 * DAY
_FIRST_ENDS = (5, 25, 80, -40)
"""Days from the start of the simulator until the terms of the first orders end; the last one has lapsed."""


class _Order(NamedTuple):
    number: int
    circuit_id: str
    description: str
    kind: str
    mbps: int


def _all_orders(query: Query) -> Iterator[_Order]:
    """Yield the orders of all ports, then of all virtual circuits."""
    ports, circuits = query.network.ports, query.network.circuits
    for number, port in enumerate(ports):
        yield _Order(number, port.circuit_id, port.description, "port", port.gbps * 1000)
    for number, circuit in enumerate(circuits, len(ports)):
        yield _Order(number, circuit.circuit_id, circuit.description, "backbone", circuit.mbps)


def _term(order: _Order, started: float) -> tuple[float, float, int]:
    """Return when the term starts and ends, and its length in months; always at midnight."""
    days = _FIRST_ENDS[order.number] if order.number < len(_FIRST_ENDS) else 120 + order.number * 37 % 900
    months = (12, 24, 36)[order.number % 3]
    end = math.floor(started / DAY + days) * DAY
    return math.floor((end - months * _MONTH) / DAY) * DAY, end, months


def _services(query: Query) -> object:
    """Return ``Order`` of every service of an account, or ``get_order`` of one circuit."""
    wanted = query.path["billed"]
    if wanted == resource_uuid(query.network.seed, "account"):
        return [_row(order, query.started) for order in _all_orders(query)]
    for order in _all_orders(query):
        if order.circuit_id == wanted:
            return [_details(order, query.started)]
    raise HTTPException(404, "Order not found.")


def _row(order: _Order, started: float) -> Row:
    start, end, months = _term(order, started)
    return {
        "circuit_id": order.circuit_id,
        "description": order.description,
        "order_type": order.kind,
        "speed": order.mbps,
        "start_date": _date(start),
        "end_date": _date(end),
        "term": months,
        "rate": PRICE,
    }


def _details(order: _Order, started: float) -> Row:
    """Return an order with its term, which only PacketFabric's Terraform provider documents."""
    start, end, months = _term(order, started)
    return {
        "order_id": 7_000_001 + order.number,
        "circuit_id": order.circuit_id,
        "term": {
            "start_date": _date(start),
            "months": months,
            "termination_date": None,
            "commitment_end_date": _date(end),
        },
    }


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).isoformat()


def _flex_bandwidth(query: Query) -> object:
    """Return ``FlexBandwidth`` of one container, nine tenths of which its virtual circuits use."""
    used = sum(circuit.mbps for circuit in query.network.circuits if uses_flex_bandwidth(circuit))
    capacity = max(1, math.ceil(used / 0.9 / 100)) * 100
    return [
        {
            "aggregate_capacity_id": FLEX_BANDWIDTH_ID,
            "flex_bandwidth_id": FLEX_BANDWIDTH_ID,
            "description": "Flex bandwidth of the backbone",
            "account_uuid": resource_uuid(query.network.seed, "account"),
            "customer_uuid": resource_uuid(query.network.seed, "customer"),
            "subscription_term": 12,
            "capacity_mbps": capacity,
            "used_capacity_mbps": used,
            "available_capacity_mbps": capacity - used,
            "po_number": "PO-1234",
            "time_created": CREATED,
            # With a hyphen, as in PacketFabric's description.
            "time-updated": CREATED,
        }
    ]


CONTRACT = (
    Resource(ResourceName.BILLING, "/v2/billing/services/{billed}", _services),
    Resource(ResourceName.FLEX_BANDWIDTH, "/v2/flex-bandwidth", _flex_bandwidth),
)
