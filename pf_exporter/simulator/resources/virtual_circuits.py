"""Virtual circuits: the rows of ``GET /v2/services``."""

from __future__ import annotations

from pf_exporter.simulator.pagination import Row
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources.resource import (
    CREATED,
    CUSTOMER_NAME,
    Query,
    is_up,
    operational_status,
    paged,
    resource_uuid,
)
from pf_exporter.simulator.topology import Circuit, End

FLEX_BANDWIDTH_ID = "PF-AB-6000001"


def uses_flex_bandwidth(circuit: Circuit) -> bool:
    """Return whether the speed of a circuit is taken from the only flex bandwidth container."""
    return circuit.circuit_id.endswith(("0-PF", "5-PF"))


def _row(query: Query, circuit: Circuit) -> Row:
    """Return ``VC_GET`` of a virtual circuit."""
    seed, at = query.network.seed, query.now
    flex: Row = {"flex_bandwidth_id": FLEX_BANDWIDTH_ID} if uses_flex_bandwidth(circuit) else {}
    a, z = circuit.a.port, circuit.z.port
    return flex | {
        "vc_circuit_id": circuit.circuit_id,
        "customer_uuid": resource_uuid(seed, "customer"),
        "state": circuit.state,
        "service_type": "backbone",
        "service_class": "metro" if a.pop.market == z.pop.market else "longhaul",
        "mode": "evpl",
        "multiport": False,
        "connected": circuit.state == "Active" and is_up(a, at) and is_up(z, at),
        "bandwidth": {
            "account_uuid": resource_uuid(seed, "account"),
            "subscription_term": 12,
            "longhaul_type": "dedicated",
            "speed": circuit.speed,
        },
        "description": circuit.description,
        "po_number": None,
        "rate_limit_in": circuit.mbps,
        "rate_limit_out": circuit.mbps,
        "time_created": CREATED,
        "time_updated": CREATED,
        "user_created": "hank.aaron",
        "user_updated": "grace.h",
        "interfaces": [_interface(seed, end, at) for end in (circuit.a, circuit.z)],
    }


def _interface(seed: int, end: End, at: float) -> Row:
    port = end.port
    return {
        "port_circuit_id": port.circuit_id,
        "pop": port.pop.name,
        # The code of the site, where the list of ports has its name.
        "site": port.pop.site_code,
        "site_name": port.pop.site,
        "speed": f"{port.gbps}Gbps",
        "media": port.media,
        "zone": port.zone,
        "description": port.description,
        "vlan": end.vlan,
        "untagged": False,
        "provisioning_status": "active",
        "admin_status": "up",
        "operational_status": operational_status(port, at),
        "customer_uuid": resource_uuid(seed, "customer"),
        "customer_name": CUSTOMER_NAME,
        "region": port.pop.region,
        "is_cloud": False,
        "is_ptp": False,
        "time_created": CREATED,
        "time_updated": CREATED,
    }


VIRTUAL_CIRCUITS = paged(ResourceName.SERVICES, "/v2/services", lambda query: query.network.circuits, _row)
