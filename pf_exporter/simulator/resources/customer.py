"""The customer and its API keys."""

from __future__ import annotations

from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources.resource import CREATED, CUSTOMER_NAME, Query, Resource, resource_uuid


def _customer(query: Query) -> object:
    """Return ``Customer_GET`` of the caller."""
    return {
        "customer_uuid": resource_uuid(query.network.seed, "customer"),
        "name": CUSTOMER_NAME,
        "website": "vandelayindustries.com",
        "acctnum": "PF-123456",
        "description": "Importer/exporter",
        "routing_id": "PF-1RI-OQ85",
        "type": "customer",
        "reg_state": "CA",
        "reg_country": "USA",
        "service_provider": False,
        "customer_of_reseller": False,
        "time_created": CREATED,
        "time_updated": CREATED,
    }


def _api_keys(query: Query) -> object:
    """Return ``api_key_object`` of every valid key, without its token."""
    return list(query.api_keys)


CUSTOMER = (
    Resource(ResourceName.CUSTOMER, "/v2/customers/current", _customer),
    Resource(ResourceName.API_KEYS, "/v2/api-keys", _api_keys),
)
