"""Nothing of a response is kept, shown or logged except what becomes a metric."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import Config, InventorySettings, WebSettings
from pf_exporter.schema.polled_resource import Scope
from pf_exporter.schema.resource import Resource
from pf_exporter.schema.resources import POLLED, RESOURCES
from pf_exporter.service.exporter import Exporter
from tests.conftest import get, until
from tests.inventory.harness import ALL_RESOURCES, FakeApi
from tests.schema.openapi_bodies import body, response_schema
from tests.schema.test_polled_resources import CANARY, body_with_canaries

UUID = "a2115890-ed02-4795-a6dd-c485bec3529c"
TARGETS = {
    Scope.ACCOUNT: [""],
    Scope.PORT: ["PF-AP-1"],
    Scope.CLOUD_ROUTER_CONNECTION: ["PF-L3-CON-1"],
    Scope.CLOUD_CONNECTION: ["PF-CC-1", "PF-AP-2"],
    Scope.BILLING_ACCOUNT: [UUID],
    Scope.LABEL: ["staging"],
}
IDS = {
    "port_circuit_id": "PF-AP-1",
    "vc_circuit_id": "PF-BC-1",
    "cloud_circuit_id": "PF-L3-CON-1",
    "cloud_router_circuit_id": "PF-L3-CUST-1",
    "account_uuid": UUID,
    "pop": "LAX1",
    "bgp_state_list.bgp_settings_uuid": "b-1",
    "bgp_state_list.bgp_state": "established",
}
EVERYTHING = InventorySettings(interval=3600.0, requests_per_minute=100_000, **ALL_RESOURCES)


def circuits_with_canaries(openapi: Any, resource: Resource) -> Any:
    """A list as described, with a canary in every string that does not become a label."""
    labels = {field.replace(".0.", ".").replace(".1.", ".") for field in resource.fields} | IDS.keys()

    def fill(path: str, schema: dict[str, Any]) -> object:
        if path not in labels:
            return f"{CANARY}-{path}"
        values = schema.get("enum", ["text"])
        # A port that is only ordered has no module, and is not asked for it.
        return IDS.get(path, "Active" if "Active" in values else values[0])

    return body(openapi, response_schema(openapi, resource.path), fill)


@pytest.fixture
def api_with_canaries(api: FakeApi, openapi: Any) -> FakeApi:
    """An API that has everything, with canaries."""
    for resource in RESOURCES:
        api.lists[resource.path] = circuits_with_canaries(openapi, resource)
    for polled in POLLED:
        for request in polled.requests:
            for target in TARGETS[polled.scope]:
                path = request.path.format(id=target, router="PF-L3-CUST-1")
                found = body_with_canaries(openapi, polled, request)
                if request.key:
                    api.lists[path] = found
                else:
                    api.objects[path] = found
    return api


def test_canaries(api_with_canaries: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    """With every resource polled, no canary is on a page, in the log, or in what is kept."""
    account = Account(api_url=api_with_canaries.url, token=Secret("token"))
    config = Config((account,), inventory=EVERYTHING, web=WebSettings(listen_address=("127.0.0.1:0",)))
    names = {*(one.name for one in RESOURCES), *(one.name for one in POLLED)}
    with caplog.at_level(logging.DEBUG), Exporter(config) as exporter:
        poller = exporter.pipelines[0].inventory
        until(lambda: poller.stats.last_success.keys() >= names, "every resource")
        url = f"http://{exporter.server.addresses[0]}"
        pages = [get(f"{url}{path}")[2].decode() for path in ("/metrics", "/")]
        kept = repr((poller.snapshot, list(poller.polled_samples()), poller.maintenances()))
    assert sum(poller.stats.failures.values()) == 0
    families = {family.name for resource in POLLED for family in resource.families}
    missing = {family for family in families if f"\n{family}{{" not in pages[0]}
    assert missing <= {"packetfabric_port_temperature_celsius", "packetfabric_port_voltage_volts"} | {
        family for family in families if "_connection_receive_" in family or "_connection_transmit_" in family
    }
    for text in (*pages, kept, caplog.text, repr([record.__dict__ for record in caplog.records])):
        assert CANARY not in text
