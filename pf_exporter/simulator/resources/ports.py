"""Ports: the rows of ``GET /v2/ports``."""

from __future__ import annotations

from pf_exporter.simulator.pagination import Row
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources.resource import (
    CREATED,
    CUSTOMER_NAME,
    Query,
    operational_status,
    paged,
    resource_uuid,
)
from pf_exporter.simulator.topology import Port


def port_row(query: Query, port: Port) -> Row:
    """Return ``Port_GET`` of a port, LAG or LAG member."""
    seed = query.network.seed
    row: Row = {
        "port_circuit_id": port.circuit_id,
        "description": port.description,
        "state": port.state,
        "status": port.status,
        "admin_status": "up" if port.is_enabled else "down",
        "operational_status": operational_status(port, query.now),
        "disabled": not port.is_enabled,
        # For a LAG, the speed of one member: the sum is not always one of the speeds the API allows.
        "speed": f"{port.gbps}Gbps",
        "media": port.media,
        "mtu": 9096,
        "vc_mode": "evpl",
        "zone": port.zone,
        "region": port.pop.region,
        "market": port.pop.market,
        "market_description": port.pop.market_description,
        "pop": port.pop.name,
        "site": port.pop.site,
        "site_code": port.pop.site_code,
        "is_lag": bool(port.members),
        "is_lag_member": port.lag is not None,
        "is_cloud": False,
        "is_ptp": False,
        "is_nni": False,
        "is_manual": False,
        "po_number": None,
        "subscription_term": 12,
        "account_uuid": resource_uuid(seed, "account"),
        "customer_name": CUSTOMER_NAME,
        "customer_uuid": resource_uuid(seed, "customer"),
        "user_created": "hank.aaron",
        "user_updated": "grace.h",
        "time_created": CREATED,
        "time_updated": CREATED,
        "device_port_type": "blue",
    }
    if port.gbps == 1:
        row["autoneg"] = True
    if port.members:
        row |= {"lag_interval": "fast", "member_count": len(port.members)}
    if port.lag:
        row["parent_lag_circuit_id"] = port.lag.circuit_id
    return row


PORTS = paged(ResourceName.PORTS, "/v2/ports", lambda query: query.network.ports, port_row)
