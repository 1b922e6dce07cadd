"""Responses and events match PacketFabric's OpenAPI description, and its client can use them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any, Protocol

import pytest

from pf_exporter.simulator import Network, Options, Simulator
from pf_exporter.simulator.resources import RESOURCES, Resource
from pf_exporter.simulator.resources.resource import resource_uuid
from tests.conftest import NEW_ENOUGH, NOT_NEW_ENOUGH
from tests.simulator.client import Client
from tests.simulator.conftest import NOW

if not NEW_ENOUGH:
    pytest.skip(NOT_NEW_ENOUGH, allow_module_level=True)

from packetfabric_mcp.client import PacketFabricClient
from packetfabric_mcp.spec import Spec


class Validate(Protocol):
    """Validates a value against a schema."""

    def __call__(self, value: object, schema: dict[str, Any]) -> None: ...


PARAMETERS = {
    "time_from": "2026-09-14",
    "time_to": "2026-09-21T14:13:20",
    "route_type": "received,received_hidden",
}
"""What some resources require and others ignore."""
STREAMED_CATEGORIES = ("bgp", "cloud_router", "outbound_cross_connect", "rate_limit")
EVENT_SCHEMAS = {
    "port|metrics": "PortMetricsEventStream",
    "port|errors": "PortErrorsEventStream",
    "port|etherstats": "PortEtherstatsEventStream",
    "port|optical": "PortOpticalEventStream",
    "vc|metrics": "LogicalInterfaceMetricsEventStream",
}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """One simulator for all tests, because none of them changes it."""
    with Simulator(Options(listen_address="127.0.0.1:0"), lambda: NOW) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def spec() -> Spec:
    return Spec.load()


@pytest.fixture(scope="module")
def validate(spec: Spec) -> Validate:
    """Ignores formats, because the API's own timestamps are not valid RFC 3339 ``date-time``."""
    # Not at the top: every process of a parallel run imports this module, and this import takes a second.
    from openapi_schema_validator import OAS30Validator

    def check(value: object, schema: dict[str, Any]) -> None:
        OAS30Validator({**schema, "components": spec.doc["components"]}).validate(value)

    return check


def schema_named(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize(
    "route",
    [
        ("post", "/v2/auth/login", {"login": "demo", "password": "packets"}),
        ("get", "/v2/auth/logout", None),
        ("get", "/v2/auth/sessions", None),
        ("delete", "/v2/auth/sessions", None),
        ("post", "/v2/api-keys", {"name": "Silver key", "expiration": 100500}),
        ("post", "/v2/events", {"streams": [{"type": "port"}]}),
    ],
)
def test_responses_match_the_description(
    client: Client, spec: Spec, validate: Validate, route: tuple[str, str, object]
) -> None:
    """Status and body of every route match the description, and no field is undocumented."""
    method, path, body = route
    Client(client.simulator).log_in()
    response = client.request(method.upper(), path, body)
    described = spec.doc["paths"][path][method]["responses"][str(response.status_code)]
    schema = described["content"]["application/json"]["schema"]
    validate(response.json(), schema)
    item = spec.resolve(schema.get("items", schema))
    rows = response.json() if isinstance(response.json(), list) else [response.json()]
    assert rows
    for row in rows:
        # Required of a service, but described nowhere.
        assert row.keys() - {"multiport"} <= item["properties"].keys()


def undocumented(value: object, schema: dict[str, Any], spec: Spec, place: str = "") -> Iterator[str]:
    """Yield the fields that a schema does not describe."""
    schema = spec.resolve(schema)
    parts = [spec.resolve(part) for part in schema.get("allOf", [schema])]
    if isinstance(value, list):
        for item in value:
            yield from undocumented(item, schema.get("items", {}), spec, place)
    elif isinstance(value, dict):
        properties = {name: field for part in parts for name, field in part.get("properties", {}).items()}
        for name, field in value.items():
            if name not in properties:
                yield f"{place}.{name}"
            yield from undocumented(field, properties.get(name, {}), spec, f"{place}.{name}")


def without_deviations(value: Any) -> Any:
    """Return a body without what the description says in words only, or not at all.

    History has nulls, entries of the activity log have categories that only the stream describes, and
    device-info has an array of lanes.
    """
    if isinstance(value, list):
        return [0 if item is None else without_deviations(item) for item in value]
    if not isinstance(value, dict):
        return value
    fields = {name: without_deviations(item) for name, item in value.items()}
    if fields.get("category") in STREAMED_CATEGORIES:
        fields["category"] = "auth"
    if "optics_diagnostics_lane_values" in fields:
        (fields["optics_diagnostics_lane_values"],) = fields["optics_diagnostics_lane_values"]
    return fields


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.path)
def test_polled_resources_match_the_description(
    simulator: Simulator, spec: Spec, validate: Validate, resource: Resource
) -> None:
    """The body of every polled resource matches the description, has no other field, and is not empty."""
    flapping = simulator.network.ports[1]
    circuit = next(circuit for circuit in simulator.network.circuits if circuit.a.port is flapping)
    examples = {
        "connection": "PF-L3-CON-4000001",
        "port": flapping.circuit_id,
        "vc": circuit.circuit_id,
        "type": "bps",
        "router": "PF-L3-CUST-5000001",
        "cloud": "PF-CC-LAX-LAX-4100001-PF",
        "internet": "PF-L3-TRAN-4200001",
        "billed": resource_uuid(1, "account"),
        "label": "R&D east",
    }
    response = Client(simulator).request("GET", resource.path.format(**examples), **PARAMETERS)
    assert response.status_code == 200
    described = {re.sub("{.*?}", "{}", path): operations for path, operations in spec.doc["paths"].items()}
    operation = described[re.sub("{.*?}", "{}", resource.path)]["get"]
    schema = operation["responses"]["200"]
    schema = spec.resolve(schema)["content"]["application/json"]["schema"]
    assert response.json()
    validate(without_deviations(response.json()), schema)
    # Required of a service, but described nowhere.
    assert set(undocumented(without_deviations(response.json()), schema, spec)) <= {".multiport"}


def test_measurements_match_their_schemas(spec: Spec, validate: Validate) -> None:
    """Every measurement has exactly the fields of its schema and their types, except that of the VLAN."""
    for name, data in Network(2).measurements(NOW):
        schema = schema_named(EVENT_SCHEMAS[name])
        assert data.keys() == spec.resolve(schema)["properties"].keys()
        if name == "vc|metrics":
            # The schema says integer, but the example in the description has the string "4".
            assert isinstance(data["vlan"], str)
            data["vlan"] = int(data["vlan"])
        validate(data, schema)


def test_the_activity_log_matches_its_schema(spec: Spec, validate: Validate) -> None:
    """A day of activity has the described fields, and ``ip_address`` as in the examples."""
    described = spec.doc["paths"]["/v2/events/{uuid}"]["get"]["responses"]["default"]
    names = described["content"]["text/event-stream"]["schema"]["properties"]["event"]["enum"]
    for name, data in Network(2).activity(NOW + 86400, NOW):
        assert name in names
        assert name == f"customer|{data['category']}"
        schema = schema_named("ActivityLogEventStream")
        assert data.keys() - {"ip_address"} <= spec.resolve(schema)["properties"].keys()
        validate(data, schema)


@pytest.mark.parametrize("credentials", ["login", "key"])
def test_packetfabrics_client(
    simulator: Simulator, spec: Spec, monkeypatch: pytest.MonkeyPatch, credentials: str
) -> None:
    """With a login or an API key, PacketFabric's client lists ports and services, and pages of them."""
    for variable in (
        "PF_TOKEN",
        "PF_API_KEY",
        "PF_LOGIN",
        "PF_USER",
        "PF_PASSWORD",
        "PF_API_URL",
        "PF_ON_BEHALF",
    ):
        monkeypatch.delenv(variable, raising=False)
    if credentials == "key":
        monkeypatch.setenv("PF_TOKEN", simulator.api_key)
    else:
        monkeypatch.setenv("PF_LOGIN", simulator.login)
        monkeypatch.setenv("PF_PASSWORD", simulator.password)

    logins = simulator.logins

    async def fetch() -> list[Any]:
        client = PacketFabricClient(simulator.url)
        try:
            responses = [
                await client.request(spec.operations[operation], query=query)
                for operation in ("customer_get", "get_port_list", "get_service_list")
                for query in ({}, {"page_size": 10, "offset": 10})
            ]
        finally:
            await client.aclose()
        return [response.json() for response in responses]

    customer, _, ports, page, services, rest = asyncio.run(fetch())
    assert customer["name"] == "Vandelay Industries"
    assert (len(ports), len(services)) == (12, 16)
    assert (page, rest) == (ports[10:], services[10:])
    assert simulator.logins - logins == (1 if credentials == "login" else 0)
