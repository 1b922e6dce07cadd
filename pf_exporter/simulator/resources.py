"""What the lists say: the network in the words of ``/v2/ports``, ``/v2/services`` and their like."""

from __future__ import annotations

import random
import uuid

from pf_exporter.simulator.network import Network, stamp
from pf_exporter.simulator.topology import Circuit, End, Port
from pf_exporter.simulator.traffic import Traffic

Row = dict[str, object]

CUSTOMER = "Vandelay Industries"
_BUILT = "2024-01-01T10:16:42.929389-0700"


def _uuid(seed: int, what: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{seed}/{what}"))


def _state(up: bool) -> str:
    return "up" if up else "down"


def _up(port: Port, at: float) -> bool:
    return any(one.up(at) for one in port.members or [port])


def ports(network: Network, at: float) -> list[Row]:
    """``Port_GET`` of every port, LAG and member of a LAG, as it stands at ``at``."""
    return [_port(network.seed, port, at) for port in network.ports]


def _port(seed: int, port: Port, at: float) -> Row:
    row: Row = {
        "port_circuit_id": port.circuit_id,
        "description": port.description,
        "state": "Active",
        "status": "active",
        "admin_status": "up",
        "operational_status": _state(_up(port, at)),
        "disabled": False,
        # The speed of a LAG is told as that of one member: its sum need not be a speed the API knows.
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
        "account_uuid": _uuid(seed, "account"),
        "customer_name": CUSTOMER,
        "customer_uuid": _uuid(seed, "customer"),
        "user_created": "hank.aaron",
        "user_updated": "grace.h",
        "time_created": _BUILT,
        "time_updated": _BUILT,
        "device_port_type": "blue",
    }
    if port.gbps == 1:
        row["autoneg"] = True
    if port.members:
        row |= {"lag_interval": "fast", "member_count": len(port.members)}
    if port.lag:
        row["parent_lag_circuit_id"] = port.lag.circuit_id
    return row


def services(network: Network, at: float) -> list[Row]:
    """``VC_GET`` of every virtual circuit, as it stands at ``at``."""
    return [_service(network.seed, circuit, at) for circuit in network.circuits]


def _service(seed: int, circuit: Circuit, at: float) -> Row:
    a, z = circuit.a.port, circuit.z.port
    return {
        "vc_circuit_id": circuit.circuit_id,
        "customer_uuid": _uuid(seed, "customer"),
        "state": "Active",
        "service_type": "backbone",
        "service_class": "metro" if a.pop.market == z.pop.market else "longhaul",
        "mode": "evpl",
        "multiport": False,
        "connected": _up(a, at) and _up(z, at),
        "bandwidth": {
            "account_uuid": _uuid(seed, "account"),
            "subscription_term": 12,
            "longhaul_type": "dedicated",
            "speed": circuit.speed,
        },
        "description": circuit.description,
        "po_number": None,
        "rate_limit_in": circuit.mbps,
        "rate_limit_out": circuit.mbps,
        "time_created": _BUILT,
        "time_updated": _BUILT,
        "user_created": "hank.aaron",
        "user_updated": "grace.h",
        "interfaces": [_interface(seed, end, at) for end in (circuit.a, circuit.z)],
    }


def _interface(seed: int, end: End, at: float) -> Row:
    port = end.port
    return {
        "port_circuit_id": port.circuit_id,
        "pop": port.pop.name,
        # Here the API writes the code where the list of ports writes the name.
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
        "operational_status": _state(_up(port, at)),
        "customer_uuid": _uuid(seed, "customer"),
        "customer_name": CUSTOMER,
        "region": port.pop.region,
        "is_cloud": False,
        "is_ptp": False,
        "time_created": _BUILT,
        "time_updated": _BUILT,
    }


def customer(seed: int) -> Row:
    """``Customer_GET`` of whoever asks."""
    return {
        "customer_uuid": _uuid(seed, "customer"),
        "name": CUSTOMER,
        "website": "vandelayindustries.com",
        "acctnum": "PF-123456",
        "description": "Importer/exporter",
        "routing_id": "PF-1RI-OQ85",
        "type": "customer",
        "reg_state": "CA",
        "reg_country": "USA",
        "service_provider": False,
        "customer_of_reseller": False,
        "time_created": _BUILT,
        "time_updated": _BUILT,
    }


def connections(network: Network, at: float) -> list[Row]:
    """``cloud_connection`` of two cloud router connections; nothing about them is ever streamed."""
    rows: list[Row] = []
    for index, (provider, pop) in enumerate((("aws", "LAX1"), ("google", "NYC1"))):
        rows.append(
            {
                "cloud_circuit_id": f"PF-L3-CON-{4000001 + index}",
                "cloud_router_circuit_id": "PF-L3-CUST-5000001",
                "cloud_router_name": "Demo router",
                "cloud_router_asn": 4556,
                "uuid": _uuid(network.seed, f"connection {index}"),
                "customer_uuid": _uuid(network.seed, "customer"),
                "account_uuid": _uuid(network.seed, "account"),
                "port_type": "hosted",
                "connection_type": "cloud_hosted",
                "service_type": "cr_connection",
                "service_class": "metro",
                "service_provider": provider,
                "state": "Active",
                "speed": "1Gbps",
                "deleted": False,
                "pending_delete": False,
                "description": f"{provider} connection for {CUSTOMER}",
                "pop": pop,
                "zone": "A",
                "vlan": 102 + index,
                "bgp_state_list": [
                    {"bgp_settings_uuid": _uuid(network.seed, f"bgp {index}"), "bgp_state": "established"}
                ],
                "po_number": None,
                "time_created": _BUILT,
                "time_updated": stamp(at),
            }
        )
    return rows


def rates(network: Network, connection: str, at: float) -> dict[str, list[list[int]]]:
    """By type, ``bps`` and ``pps``, the rates of a cloud router connection at each minute of the last hour.

    A row is time, average, minimum and maximum received, and the same transmitted.
    """
    rng = random.Random(f"{network.seed} {connection}")
    flows = Traffic(rng, 5e8, 900), Traffic(rng, 2e8, 400)
    minutes = [(int(at) // 60 - age) * 60 for age in reversed(range(60))]
    readings = [(minute, [flow.read(minute) for flow in flows]) for minute in minutes]
    return {
        "bps": [[minute, *(one.bps for one in both for _ in range(3))] for minute, both in readings],
        "pps": [[minute, *(one.pps for one in both for _ in range(3))] for minute, both in readings],
    }
