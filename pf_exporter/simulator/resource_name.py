"""The names of the polled resources, by which faults select them."""

from __future__ import annotations

from enum import Enum


class ResourceName(Enum):
    """A polled resource, or several that are alike."""

    ACTIVITY_LOGS = "activity-logs"
    CONNECTION_RATES = "connection-rates"
    CONNECTIONS = "connections"
    CUSTOMER = "customer"
    MAINTENANCE = "maintenance"
    MAINTENANCE_BY_LOCATION = "maintenance-by-location"
    OPTIC_DATA = "optic-data"
    PORT_ERRORS = "port-errors"
    PORT_RATES = "port-rates"
    PORTS = "ports"
    SERVICES = "services"
    TEMPERATURE = "temperature"
    VC_RATES = "vc-rates"
    WHATCAST = "whatcast"
