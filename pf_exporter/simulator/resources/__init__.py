"""The polled lists of the API: one module per resource, and the table of all of them."""

from __future__ import annotations

from pf_exporter.simulator.resources.cloud_router_connections import CLOUD_ROUTER_CONNECTIONS
from pf_exporter.simulator.resources.ports import PORTS
from pf_exporter.simulator.resources.virtual_circuits import VIRTUAL_CIRCUITS

RESOURCES = (PORTS, VIRTUAL_CIRCUITS, CLOUD_ROUTER_CONNECTIONS)
"""Every list that is filtered and paged."""
