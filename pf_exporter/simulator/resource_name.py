"""The names of the polled resources, by which faults select them."""

from __future__ import annotations

from enum import Enum


class ResourceName(Enum):
    """A polled resource, or several that are alike."""

    ACTIVITY_LOGS = "activity-logs"
    API_KEYS = "api-keys"
    BGP_LOGS = "bgp-logs"
    BGP_ROUTES = "bgp-routes"
    BGP_SETTINGS = "bgp-settings"
    BILLING = "billing"
    CLOUD_STATE = "cloud-state"
    CONNECTION_RATES = "connection-rates"
    CONNECTIONS = "connections"
    CUSTOMER = "customer"
    DEDICATED_CONNECTIONS = "dedicated-connections"
    DEVICE_INFO = "device-info"
    FLEX_BANDWIDTH = "flex-bandwidth"
    HOSTED_CONNECTIONS = "hosted-connections"
    INTERNET = "internet"
    INTERNET_BGP = "internet-bgp"
    LABELS = "labels"
    LOCATIONS = "locations"
    MAINTENANCE = "maintenance"
    MAINTENANCE_BY_LOCATION = "maintenance-by-location"
    OPTIC_DATA = "optic-data"
    PORT_ERRORS = "port-errors"
    PORT_RATES = "port-rates"
    PORTS = "ports"
    ROUTER_LOGS = "router-logs"
    SERVICES = "services"
    TEMPERATURE = "temperature"
    VC_RATES = "vc-rates"
    WHATCAST = "whatcast"
