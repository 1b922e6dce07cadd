"""Cloud router connections: the rows of the list, and the rates of one connection."""

from __future__ import annotations

import random

from pf_exporter.simulator.events import format_timestamp
from pf_exporter.simulator.network import Network
from pf_exporter.simulator.resources.resource import CREATED, CUSTOMER_NAME, Resource, Row, resource_uuid
from pf_exporter.simulator.traffic import Traffic

RATES_PATH = "/v2/metrics/cloud-router-connections/{id}/rate/{type}"


def rows(network: Network, at: float) -> list[Row]:
    """Return ``cloud_connection`` of two connections; no events about them exist."""
    return [
        _connection(network.seed, index, provider, pop, at)
        for index, (provider, pop) in enumerate((("aws", "LAX1"), ("google", "NYC1")))
    ]


def _connection(seed: int, index: int, provider: str, pop: str, at: float) -> Row:
    return {
        "cloud_circuit_id": f"PF-L3-CON-{4000001 + index}",
        "cloud_router_circuit_id": "PF-L3-CUST-5000001",
        "cloud_router_name": "Demo router",
        "cloud_router_asn": 4556,
        "uuid": resource_uuid(seed, f"connection {index}"),
        "customer_uuid": resource_uuid(seed, "customer"),
        "account_uuid": resource_uuid(seed, "account"),
        "port_type": "hosted",
        "connection_type": "cloud_hosted",
        "service_type": "cr_connection",
        "service_class": "metro",
        "service_provider": provider,
        "state": "Active",
        "speed": "1Gbps",
        "deleted": False,
        "pending_delete": False,
        "description": f"{provider} connection for {CUSTOMER_NAME}",
        "pop": pop,
        "zone": "A",
        "vlan": 102 + index,
        "bgp_state_list": [
            {"bgp_settings_uuid": resource_uuid(seed, f"bgp {index}"), "bgp_state": "established"}
        ],
        "po_number": None,
        "time_created": CREATED,
        "time_updated": format_timestamp(at),
    }


def rates(network: Network, connection: str, at: float) -> dict[str, list[list[int]]]:
    """Return the rates of a connection for each minute of the last hour, by type: ``bps`` and ``pps``.

    A row is the time, then average, minimum and maximum received, then the same transmitted.
    """
    rng = random.Random(f"{network.seed} {connection}")
    received, transmitted = Traffic(rng, 5e8, 900), Traffic(rng, 2e8, 400)
    series: dict[str, list[list[int]]] = {"bps": [], "pps": []}
    for age in reversed(range(60)):
        minute = (int(at) // 60 - age) * 60
        rx, tx = received.read(minute), transmitted.read(minute)
        # One reading per minute, so average, minimum and maximum are equal.
        series["bps"].append([minute, *[rx.bps] * 3, *[tx.bps] * 3])
        series["pps"].append([minute, *[rx.pps] * 3, *[tx.pps] * 3])
    return series


CLOUD_ROUTER_CONNECTIONS = Resource("/v2/services/cloud-routers/connections", rows)
