"""Polled resources: their fields are those of the API, and published objects parse without rejections."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pf_exporter.schema.parsers import state_samples
from pf_exporter.schema.polled_resource import ReadContext
from pf_exporter.schema.resource import Resource
from pf_exporter.schema.resources import RESOURCES
from pf_exporter.schema.resources.cloud_router_connection_rates import (
    CLOUD_ROUTER_CONNECTION_RATES,
    RATE_PATH,
)
from pf_exporter.schema.resources.cloud_router_connections import CLOUD_ROUTER_CONNECTIONS
from pf_exporter.schema.resources.ports import PORTS
from pf_exporter.schema.resources.virtual_circuits import VIRTUAL_CIRCUITS
from tests.conftest import FIXTURES


def bodies(name: str) -> list[Any]:
    """The published bodies of an operation."""
    lines = (FIXTURES / "rest-bodies.jsonl").read_text(encoding="utf-8").splitlines()
    return [row["data"] for row in map(json.loads, lines) if row["of"] == name]


def described(openapi: Any, schema: dict[str, Any], field: str) -> dict[str, Any]:
    """The schema of a field such as ``interfaces.0.port_circuit_id``."""
    for step in field.split("."):
        if "$ref" in schema:
            schema = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        schema = schema["items"] if step.isdigit() else schema["properties"][step]
    return schema


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_fields_are_those_of_the_api(resource: Resource, openapi: Any) -> None:
    """Every field that is read is in the API's description of its list, and every documented value parses."""
    operation = openapi["paths"][resource.path]["get"]
    assert {"offset", "page_size"} <= {parameter.get("name") for parameter in operation["parameters"]}
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    if "$ref" in schema:
        schema = openapi["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for field in resource.fields:
        assert described(openapi, schema["items"], field)["type"] in ("string", "integer", "boolean", "array")
    for metric in resource.metrics:
        values = described(openapi, schema["items"], metric.field).get("enum", [])
        assert all(metric.parse(value) for value in values)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_lists_are_sorted_as_documented(resource: Resource, openapi: Any) -> None:
    """The order of a list is one that the API documents, by ID where it does."""
    parameters = openapi["paths"][resource.path]["get"]["parameters"]
    allowed = {parameter["name"]: parameter["schema"].get("enum", ()) for parameter in parameters}
    assert resource.query.keys() == {"sort_column", "sort_order"}
    assert [name for name, value in resource.query.items() if value not in allowed[name]] == []
    assert resource.sort_column == (
        resource.key if resource.key in allowed["sort_column"] else "time_created"
    )


def test_rates_are_those_of_the_api(openapi: Any) -> None:
    """Path, types and columns are those of the API's description, and its example parses."""
    operation = openapi["paths"][RATE_PATH.format("{cloud_connection_circuit_id}", "{type}")]["get"]
    names = ("timestamp", "RX Average", "RX Minimum", "RX Maximum", "TX Average", "TX Minimum", "TX Maximum")
    positions = [operation["description"].index(name) for name in names]
    assert positions == sorted(positions)
    assert operation["parameters"][1]["schema"]["enum"] == ["bps", "pps"]
    (rows,) = bodies("ifl_rate_by_cloud_router_connection")
    reading = CLOUD_ROUTER_CONNECTION_RATES.read(rows, ReadContext("PF-L3-CON-1", "bps"))
    assert reading.measured_at == 1591118400
    assert [(sample.labels, sample.value) for sample in reading.samples] == [
        (("PF-L3-CON-1",), 5236 / 8),
        (("PF-L3-CON-1",), 5588 / 8),
    ]


def test_published_objects() -> None:
    """A published circuit and a published port give their values, and nothing is rejected."""
    (body,) = bodies("post_service_backbone")
    circuit, rejected = VIRTUAL_CIRCUITS.parse(body, ())
    assert circuit is not None
    assert (circuit.id, rejected) == ("PF-BC-SAC1-LAS1-1234567", {})
    assert circuit.samples == {
        "packetfabric_vc_info": [
            (("string", "backbone", "longhaul", "evpl", "50Mbps", "PF-AP-SAC1-1000", "PF-AP-LAS1-2000"), 1.0)
        ],
        "packetfabric_vc_connected": [((), 1.0)],
        "packetfabric_vc_state": state_samples(
            (
                *("pending", "requested", "requestsent", "requestaccepted", "active", "inactive"),
                *("updaterequested", "updatefailed"),
            ),
            "requested",
        ),
        "packetfabric_vc_receive_limit_bytes_per_second": [((), 125e6)],
        "packetfabric_vc_transmit_limit_bytes_per_second": [((), 125e6)],
    }
    (body,) = bodies("get_port.partial")
    circuit, rejected = PORTS.parse(body, ())
    assert circuit is not None
    assert (circuit.id, rejected) == ("PF-AP-WDC1-1726464", {})
    assert circuit.samples["packetfabric_port_admin_up"] == [((), 0.0)]
    assert "packetfabric_port_operational_up" not in circuit.samples
    assert circuit.series == 2


def test_connection_state_and_bgp_sessions() -> None:
    """Each state of a connection and each BGP session is a sample with a separate label."""
    circuit, rejected = CLOUD_ROUTER_CONNECTIONS.parse(
        {
            "cloud_circuit_id": "PF-L3-CON-1",
            "state": "inactive",
            "bgp_state_list": [{"bgp_settings_uuid": "uuid", "bgp_state": "Established"}],
        },
        (),
    )
    assert circuit is not None
    assert rejected == {}
    assert circuit.samples["packetfabric_cloud_router_connection_state"] == [
        (("Active",), 0.0),
        (("Inactive",), 1.0),
        (("PendingDelete",), 0.0),
        (("Requested",), 0.0),
    ]
    assert circuit.samples["packetfabric_cloud_router_connection_bgp_up"] == [(("uuid",), 1.0)]
    labels = {family.name: family.labels for family in CLOUD_ROUTER_CONNECTIONS.families}
    assert labels["packetfabric_cloud_router_connection_state"][2:] == ("state",)
    assert labels["packetfabric_cloud_router_connection_bgp_up"][2:] == ("bgp_settings_uuid",)
