"""The polled resources of the API: one module per resource, and the table of all of them."""

from __future__ import annotations

from pf_exporter.schema.resources.cloud_router_connections import CLOUD_ROUTER_CONNECTIONS
from pf_exporter.schema.resources.ports import PORTS
from pf_exporter.schema.resources.virtual_circuits import VIRTUAL_CIRCUITS

RESOURCES = (PORTS, VIRTUAL_CIRCUITS, CLOUD_ROUTER_CONNECTIONS)
"""Every polled resource, in the order of ``/metrics``."""

REFERENCES = ("lag", "port_a", "port_z", "port_circuit_id")
"""The labels of info families that contain the ID of another circuit."""
