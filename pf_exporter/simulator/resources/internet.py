"""High-performance internet: the list, and the BGP sessions of one connection."""

from __future__ import annotations

from starlette.exceptions import HTTPException

from pf_exporter.simulator.canaries import MD5
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources.resource import Query, Resource, resource_uuid

_CIRCUIT_ID = "PF-L3-TRAN-4200001"


def _list(query: Query) -> object:
    """Return ``HPI`` of the only connection, if there is a port for it."""
    return [
        {
            "hpi_circuit_id": _CIRCUIT_ID,
            "port_circuit_id": port.circuit_id,
            "speed": "1Gbps",
            "vlan": 4094,
            "description": f"Internet access in {port.pop.market_description}",
            "market": port.pop.market,
            "account_uuid": resource_uuid(query.network.seed, "account"),
            "subscription_term": 12,
            "routing_type": "bgp",
            "state": "active",
        }
        for port in query.network.ports[:1]
    ]


def _bgp(query: Query) -> object:
    """Return ``BGPConfiguration`` of both address families; that of IPv6 is not established."""
    if query.path["internet"] != _CIRCUIT_ID:
        raise HTTPException(404, "HPI not found.")
    return [
        {
            "asn": 64512,
            "l3_address": local,
            "remote_address": remote,
            "md5": MD5,
            "prefixes": [{"prefix": prefix, "local_preference": 100}],
            "bgp_state": state,
            "address_family": family,
        }
        for family, local, remote, prefix, state in (
            ("v4", "192.0.2.9/30", "192.0.2.10/30", "198.51.100.0/24", "established"),
            ("v6", "2001:db8::9/126", "2001:db8::a/126", "2001:db8:1::/48", "idle"),
        )
    ]


_PATH = "/v2/services/high-performance-internet"

INTERNET = (
    Resource(ResourceName.INTERNET, _PATH, _list),
    Resource(ResourceName.INTERNET_BGP, f"{_PATH}/{{internet}}/bgp", _bgp),
)
