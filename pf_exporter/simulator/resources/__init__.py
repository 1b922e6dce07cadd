"""The polled resources of the API: a module for each kind, and the table of all of them."""

from __future__ import annotations

from pf_exporter.simulator.resources.activity_logs import ACTIVITY_LOGS
from pf_exporter.simulator.resources.bgp import BGP
from pf_exporter.simulator.resources.cloud_connections import CLOUD_CONNECTIONS
from pf_exporter.simulator.resources.cloud_router_connections import (
    CLOUD_ROUTER_CONNECTIONS,
    CONNECTION_RATES,
)
from pf_exporter.simulator.resources.contract import CONTRACT
from pf_exporter.simulator.resources.customer import CUSTOMER
from pf_exporter.simulator.resources.devices import DEVICES
from pf_exporter.simulator.resources.internet import INTERNET
from pf_exporter.simulator.resources.maintenances import MAINTENANCE, MAINTENANCE_BY_LOCATION
from pf_exporter.simulator.resources.places import PLACES
from pf_exporter.simulator.resources.port_history import PORT_HISTORY
from pf_exporter.simulator.resources.ports import PORTS
from pf_exporter.simulator.resources.resource import Query, Resource
from pf_exporter.simulator.resources.vc_history import VC_RATES
from pf_exporter.simulator.resources.virtual_circuits import VIRTUAL_CIRCUITS

__all__ = ["RESOURCES", "Query", "Resource"]

RESOURCES: tuple[Resource, ...] = (
    PORTS,
    VIRTUAL_CIRCUITS,
    CLOUD_ROUTER_CONNECTIONS,
    CONNECTION_RATES,
    *BGP,
    *CLOUD_CONNECTIONS,
    *INTERNET,
    *DEVICES,
    *CONTRACT,
    *PLACES,
    *PORT_HISTORY,
    VC_RATES,
    ACTIVITY_LOGS,
    MAINTENANCE,
    MAINTENANCE_BY_LOCATION,
    *CUSTOMER,
)
"""Every polled resource, in the order in which paths are compared."""
