"""The polled resources of the API: one module per resource, and the tables of all of them."""

from __future__ import annotations

from pf_exporter.schema.polled_resource import PolledResource
from pf_exporter.schema.resources.api_keys import API_KEYS
from pf_exporter.schema.resources.bgp import BGP_LOG, BGP_ROUTE_COUNTS, BGP_SETTINGS
from pf_exporter.schema.resources.cloud_router_connection_rates import CLOUD_ROUTER_CONNECTION_RATES
from pf_exporter.schema.resources.cloud_router_connections import CLOUD_ROUTER_CONNECTIONS
from pf_exporter.schema.resources.cloud_state import (
    CLOUD_ROUTER_CLOUD_STATE,
    CLOUD_STATE,
    DEDICATED_CONNECTIONS,
    HOSTED_CONNECTIONS,
)
from pf_exporter.schema.resources.contract import FLEX_BANDWIDTH, ORDERS
from pf_exporter.schema.resources.labels import CIRCUIT_LABELS, LABELS
from pf_exporter.schema.resources.maintenance_notifications import MAINTENANCE
from pf_exporter.schema.resources.pops import POPS
from pf_exporter.schema.resources.port_modules import PORT_DEVICES, PORT_OPTICS
from pf_exporter.schema.resources.ports import PORTS
from pf_exporter.schema.resources.virtual_circuits import VIRTUAL_CIRCUITS

RESOURCES = (PORTS, VIRTUAL_CIRCUITS, CLOUD_ROUTER_CONNECTIONS)
"""The lists of circuits, in the order of ``/metrics``."""

POLLED: tuple[PolledResource, ...] = (
    CLOUD_ROUTER_CONNECTION_RATES,
    MAINTENANCE,
    POPS,
    API_KEYS,
    BGP_SETTINGS,
    BGP_ROUTE_COUNTS,
    BGP_LOG,
    HOSTED_CONNECTIONS,
    DEDICATED_CONNECTIONS,
    CLOUD_STATE,
    CLOUD_ROUTER_CLOUD_STATE,
    PORT_DEVICES,
    PORT_OPTICS,
    ORDERS,
    FLEX_BANDWIDTH,
    LABELS,
    CIRCUIT_LABELS,
)
"""Every other polled resource, in the order of ``/metrics``."""

REFERENCES = ("lag", "port_a", "port_z", "port_circuit_id")
"""The labels of info families that contain the ID of another circuit."""
