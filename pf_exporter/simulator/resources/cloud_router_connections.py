"""Cloud router connections: the rows of the list, and the rates of one connection."""

from __future__ import annotations

import random
from typing import NamedTuple

from starlette.exceptions import HTTPException

from pf_exporter.simulator.bgp import sessions_of
from pf_exporter.simulator.events import format_timestamp
from pf_exporter.simulator.history import rate_rows
from pf_exporter.simulator.pagination import Row
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources.resource import (
    CREATED,
    CUSTOMER_NAME,
    Query,
    Resource,
    paged,
    resource_uuid,
)
from pf_exporter.simulator.traffic import Reading, Traffic


class Connection(NamedTuple):
    """One connection of the only cloud router; no events about connections exist."""

    number: int
    circuit_id: str
    provider: str
    pop: str


ROUTER = "PF-L3-CUST-5000001"
CONNECTIONS = (
    Connection(0, "PF-L3-CON-4000001", "aws", "LAX1"),
    Connection(1, "PF-L3-CON-4000002", "google", "NYC1"),
)


def connection_row(query: Query, connection: Connection) -> Row:
    """Return ``cloud_connection`` of a connection."""
    seed, number = query.network.seed, connection.number
    return {
        "cloud_circuit_id": connection.circuit_id,
        "cloud_router_circuit_id": ROUTER,
        "cloud_router_name": "Demo router",
        "cloud_router_asn": 4556,
        "uuid": resource_uuid(seed, f"connection {number}"),
        "customer_uuid": resource_uuid(seed, "customer"),
        "account_uuid": resource_uuid(seed, "account"),
        "port_type": "hosted",
        "connection_type": "cloud_hosted",
        "service_type": "cr_connection",
        "service_class": "metro",
        "service_provider": connection.provider,
        "state": "Active",
        "speed": "1Gbps",
        "deleted": False,
        "pending_delete": False,
        "description": f"{connection.provider} connection for {CUSTOMER_NAME}",
        "pop": connection.pop,
        "zone": "A",
        "vlan": 102 + number,
        "bgp_state_list": [
            {
                "bgp_settings_uuid": resource_uuid(seed, session.key),
                "bgp_state": session.state(query.now),
            }
            for session in sessions_of(connection.circuit_id)
        ],
        "po_number": None,
        "time_created": CREATED,
        "time_updated": format_timestamp(query.now),
    }


def named_connection(query: Query) -> Connection:
    """Return the connection that the path names; raises 404."""
    for connection in CONNECTIONS:
        if connection.circuit_id == query.path["connection"]:
            return connection
    raise HTTPException(404, "Connection not found.")


def _rates(query: Query) -> object:
    connection = named_connection(query)
    rng = random.Random(f"{query.network.seed} {connection.circuit_id}")
    received, transmitted = Traffic(rng, 5e8, 900), Traffic(rng, 2e8, 400)

    def read(minute: int) -> tuple[Reading, Reading]:
        return received.read(minute), transmitted.read(minute)

    return rate_rows(query.parameters, query.now, query.path["type"], read)


CLOUD_ROUTER_CONNECTIONS = paged(
    ResourceName.CONNECTIONS,
    "/v2/services/cloud-routers/connections",
    lambda query: CONNECTIONS,
    connection_row,
)
CONNECTION_RATES = Resource(
    ResourceName.CONNECTION_RATES,
    "/v2/metrics/cloud-router-connections/{connection}/rate/{type}",
    _rates,
)
