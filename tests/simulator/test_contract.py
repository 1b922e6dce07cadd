"""Answers and events fit PacketFabric's own OpenAPI description, and its own client can use them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pf_exporter.simulator import Network, Options, Simulator
from tests.conftest import NEW_ENOUGH, NOT_NEW_ENOUGH
from tests.simulator.client import Client
from tests.simulator.conftest import NOW

if not NEW_ENOUGH:
    pytest.skip(NOT_NEW_ENOUGH, allow_module_level=True)

from openapi_schema_validator import OAS30Validator
from packetfabric_mcp.client import PacketFabricClient
from packetfabric_mcp.spec import Spec

Fits = Callable[[object, dict[str, Any]], None]
EVENT_SCHEMAS = {
    "port|metrics": "PortMetricsEventStream",
    "port|errors": "PortErrorsEventStream",
    "port|etherstats": "PortEtherstatsEventStream",
    "port|optical": "PortOpticalEventStream",
    "vc|metrics": "LogicalInterfaceMetricsEventStream",
}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """One for all, for these tests only look."""
    with Simulator(Options(listen_address="127.0.0.1:0"), lambda: NOW) as simulator:
        yield simulator


@pytest.fixture(scope="module")
def spec() -> Spec:
    return Spec.load()


@pytest.fixture(scope="module")
def fits(spec: Spec) -> Fits:
    """Checks a value against a schema, but not formats: the API's own times are no RFC 3339 ``date-time``."""

    def check(value: object, schema: dict[str, Any]) -> None:
        OAS30Validator({**schema, "components": spec.doc["components"]}).validate(value)

    return check


def named(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "/v2/auth/login", {"login": "demo", "password": "packets"}),
        ("get", "/v2/auth/logout", None),
        ("get", "/v2/auth/sessions", None),
        ("delete", "/v2/auth/sessions", None),
        ("post", "/v2/api-keys", {"name": "Silver key", "expiration": 100500}),
        ("get", "/v2/api-keys", None),
        ("post", "/v2/events", {"streams": [{"type": "port"}]}),
        ("get", "/v2/ports", None),
        ("get", "/v2/services", None),
        ("get", "/v2/services/cloud-routers/connections", None),
        ("get", "/v2/customers/current", None),
    ],
)
def test_answers_fit_the_description(
    client: Client, spec: Spec, fits: Fits, method: str, path: str, body: object
) -> None:
    """Status and body of every route are those the description gives, and no field is of our invention."""
    Client(client.simulator).log_in()
    answer = client.ask(method.upper(), path, body)
    described = spec.doc["paths"][path][method]["responses"][str(answer.status_code)]
    schema = described["content"]["application/json"]["schema"]
    fits(answer.json(), schema)
    item = spec.resolve(schema.get("items", schema))
    rows = answer.json() if isinstance(answer.json(), list) else [answer.json()]
    assert rows
    for row in rows:
        # Required of a service, but described nowhere.
        assert row.keys() - {"multiport"} <= item["properties"].keys()


def test_measurements_fit_their_schemas(spec: Spec, fits: Fits) -> None:
    """Every measurement has exactly the fields of its schema, in their types, but for the VLAN."""
    for name, data in Network(2).measurements(NOW):
        schema = named(EVENT_SCHEMAS[name])
        assert data.keys() == spec.resolve(schema)["properties"].keys()
        if name == "vc|metrics":
            # The schema says integer where the description's own example, the better witness, has "4".
            assert isinstance(data["vlan"], str)
            data["vlan"] = int(data["vlan"])
        fits(data, schema)


def test_the_activity_log_fits_its_schema(spec: Spec, fits: Fits) -> None:
    """A day of activity has the described fields, and the address that the examples have besides."""
    known = spec.doc["paths"]["/v2/events/{uuid}"]["get"]["responses"]["default"]
    names = known["content"]["text/event-stream"]["schema"]["properties"]["event"]["enum"]
    for name, data in Network(2).activity(NOW + 86400, NOW):
        assert name in names
        assert name == f"customer|{data['category']}"
        schema = named("ActivityLogEventStream")
        assert data.keys() - {"ip_address"} <= spec.resolve(schema)["properties"].keys()
        fits(data, schema)


@pytest.mark.parametrize("credentials", ["words", "key"])
def test_packetfabrics_own_client_is_at_home(
    simulator: Simulator, spec: Spec, monkeypatch: pytest.MonkeyPatch, credentials: str
) -> None:
    """With a login or with a key, PacketFabric's client lists ports and services, pages and all."""
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

    async def ask() -> list[Any]:
        client = PacketFabricClient(simulator.url)
        try:
            answers = [
                await client.request(spec.operations[operation], query=query)
                for operation in ("customer_get", "get_port_list", "get_service_list")
                for query in ({}, {"page_size": 10, "offset": 10})
            ]
        finally:
            await client.aclose()
        return [answer.json() for answer in answers]

    customer, _, ports, page, services, rest = asyncio.run(ask())
    assert customer["name"] == "Vandelay Industries"
    assert (len(ports), len(services)) == (12, 16)
    assert (page, rest) == (ports[10:], services[10:])
    assert simulator.logins - logins == (1 if credentials == "words" else 0)
