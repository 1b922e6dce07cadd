"""Cloud connections, and the provider's side of them and of cloud router connections."""

from __future__ import annotations

from typing import NamedTuple

from starlette.exceptions import HTTPException

from pf_exporter.simulator.canaries import CLOUD_ACCOUNT, EMAIL, MD5, PAIRING_KEY
from pf_exporter.simulator.pagination import Row
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources.cloud_router_connections import connection_row, named_connection
from pf_exporter.simulator.resources.resource import (
    CREATED,
    CUSTOMER_NAME,
    Query,
    Resource,
    paged,
    resource_uuid,
)
from pf_exporter.simulator.topology import POPS


class CloudConnection(NamedTuple):
    """One cloud connection, with the states that its provider reports."""

    circuit_id: str
    port_type: str
    provider: str
    state: str
    bgp_state: str
    pop_index: int


_CONNECTIONS = (
    CloudConnection("PF-CC-LAX-LAX-4100001-PF", "hosted", "aws", "active", "up", 0),
    CloudConnection("PF-CC-NYC-NYC-4100002-PF", "hosted", "google", "active", "up", 1),
    CloudConnection("PF-CC-LAS-LAS-4100003-PF", "hosted", "aws", "pending", "unknown", 2),
    CloudConnection("PF-AP-WDC1-4100004", "dedicated", "aws", "active", "down", 3),
)
_HOSTED = [connection for connection in _CONNECTIONS if connection.port_type == "hosted"]


def _dedicated(query: Query) -> object:
    """Return ``Connection_no_interfaces_GET`` of every dedicated connection."""
    return [_common(query, connection) for connection in _CONNECTIONS if connection not in _HOSTED]


def _row(query: Query, connection: CloudConnection) -> Row:
    """Return ``Connection_with_interfaces_GET`` of a connection: without the cloud side."""
    return _common(query, connection) | {"is_cloud_router_connection": False, "interfaces": []}


def _common(query: Query, connection: CloudConnection) -> Row:
    pop = POPS[connection.pop_index]
    return {
        "cloud_circuit_id": connection.circuit_id,
        "customer_uuid": resource_uuid(query.network.seed, "customer"),
        "user_uuid": resource_uuid(query.network.seed, "user"),
        "state": connection.state,
        "service_provider": connection.provider,
        "service_class": "metro",
        "port_type": connection.port_type,
        "speed": "500Mbps",
        "description": f"{connection.provider} connection for {CUSTOMER_NAME}",
        "cloud_provider": {"pop": pop.name, "region": "us-west-1"},
        "time_created": CREATED,
        "time_updated": CREATED,
        "user_created": EMAIL,
        "user_updated": EMAIL,
        "pop": pop.name,
        "site": pop.site,
        "is_awaiting_onramp": connection.state == "pending",
    }


def _connection(query: Query) -> object:
    """Return ``Connection_no_interfaces_cloud_side_GET`` of a connection."""
    for connection in _CONNECTIONS:
        if connection.circuit_id == query.path["cloud"]:
            bgp: Row = {"remote_asn": 64512, "address_family": "ipv4", "md5": MD5}
            is_available = connection.state == "active"
            settings = _settings(
                connection.provider, is_available=is_available, bgp_state=connection.bgp_state
            )
            return _common(query, connection) | {"cloud_settings": settings | {"bgp_settings": bgp}}
    raise HTTPException(404, "Connection not found.")


def _router_connection(query: Query) -> object:
    """Return ``cloud_connection_with_cloud_side`` of a cloud router connection."""
    connection = named_connection(query)
    row = connection_row(query, connection)
    del row["zone"]  # Described of the list only.
    return row | {"cloud_settings": _settings(connection.provider, is_available=True)}


def _settings(provider: str, *, is_available: bool, **state: str) -> Row:
    """Return the settings of the provider's side; ``state`` is added to what the provider reports."""
    if provider == "google":
        return {
            "google_pairing_key": PAIRING_KEY,
            "google_region": "us-east1",
            "cloud_state": {
                "google_interconnect_state": "Active",
                "google_interconnect_admin_enabled": True,
                **state,
            },
        }
    return {
        "aws_account_id": CLOUD_ACCOUNT,
        "aws_region": "us-west-1",
        "aws_vif_type": "private",
        "cloud_state": {
            "aws_dx_connection_state": "available" if is_available else "ordering",
            "aws_dx_port_encryption_status": "Encryption Up" if is_available else "Encryption Down",
            "aws_vif_state": "available" if is_available else "pending",
            **state,
        },
    }


CLOUD_CONNECTIONS = (
    paged(
        ResourceName.HOSTED_CONNECTIONS, "/v2/services/cloud/connections/hosted", lambda query: _HOSTED, _row
    ),
    Resource(ResourceName.DEDICATED_CONNECTIONS, "/v2/services/cloud/connections/dedicated", _dedicated),
    Resource(ResourceName.CLOUD_STATE, "/v2/services/cloud/connections/{cloud}", _connection),
    Resource(
        ResourceName.CLOUD_STATE, "/v2/services/cloud-routers/connections/{connection}", _router_connection
    ),
)
