"""The polled lists of the API: one module per resource, and the table of all of them."""

from __future__ import annotations

from pf_exporter.schema.resources.cloud_router_connections import CLOUD_ROUTER_CONNECTIONS
from pf_exporter.schema.resources.ports import PORTS
from pf_exporter.schema.resources.virtual_circuits import VIRTUAL_CIRCUITS

RESOURCES = (PORTS, VIRTUAL_CIRCUITS, CLOUD_ROUTER_CONNECTIONS)
"""Every polled list."""

REFERENCES = ("lag", "port_a", "port_z", "port_circuit_id")
"""Labels of info families that hold the ID of another circuit."""
