"""Polled resources: requests and responses are those that the API describes, and secrets are not kept."""

from __future__ import annotations

from datetime import timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pf_exporter.schema.maintenance import ACTIONS, TYPES
from pf_exporter.schema.polled_resource import PolledRequest, PolledResource, ReadContext, Reading
from pf_exporter.schema.resources import POLLED
from pf_exporter.schema.resources.api_keys import API_KEYS
from pf_exporter.schema.resources.bgp import BGP_LOG, BGP_ROUTE_COUNTS, BGP_SETTINGS
from pf_exporter.schema.resources.cloud_state import CLOUD_STATE, HOSTED_CONNECTIONS
from pf_exporter.schema.resources.contract import FLEX_BANDWIDTH, ORDERS
from pf_exporter.schema.resources.labels import CIRCUIT_LABELS, LABELS
from pf_exporter.schema.resources.maintenance_notifications import MAINTENANCE
from pf_exporter.schema.resources.pops import POPS
from pf_exporter.schema.resources.port_modules import PORT_DEVICES, PORT_OPTICS
from tests.schema.openapi_bodies import body, operation, resolved, response_schema

CANARY = "canary"
TARGET = ReadContext("PF-1", "received")

CLOUD_STATES = {
    "cloud_settings.cloud_state.aws_dx_connection_state": "available",
    "cloud_settings.cloud_state.aws_vif_state": "available",
    "cloud_settings.cloud_state.google_interconnect_state": "Active",
}
EXPORTED: dict[str, dict[str, str]] = {
    "maintenance": {
        "uuid": "m-1",
        "jira_key": "NOC-1",
        "time_start": "2096-11-01T10:00:00.00000",
        "time_end": "2096-11-01T12:00:00.00000",
        "time_created": "2026-10-01T10:00:00.00000",
        "time_updated": "2026-10-02T10:00:00.00000",
        "exclude": "PF-AP-9",
        "port_circuit_ids": "PF-AP-1",
        "vc_circuit_ids": "PF-BC-1",
        "cr_connection_circuit_ids": "PF-L3-CON-1",
        "pops": "LAX1",
    },
    "pop": {
        "pop": "LAX1",
        "city": "Los Angeles",
        "latitude": "34.05",
        "longitude": "-118.24",
        "timezone": "America/Los_Angeles",
    },
    "api_key": {"uuid": "k-1", "name": "a key", "expiration": "2027-04-01T19:14:42.642Z"},
    "bgp_settings": {"bgp_settings_uuid": "b-1"},
    "bgp_log": {
        "message": "%DAEMON-4-RPD: BGP peer 10.0.0.1 changed state from OpenConfirm to Established",
        "timestamp": "2026-08-20T22:08:37.000000+0000",
        "bgp_peer_ip": "10.0.0.1",
    },
    "hosted_connection": {"cloud_circuit_id": "PF-CC-1"},
    "dedicated_connection": {"cloud_circuit_id": "PF-AP-2"},
    "cloud_state": CLOUD_STATES,
    "cloud_router_cloud_state": CLOUD_STATES,
    "port_device": {"time_flapped": "2026-08-20 22:08:37 UTC (1w2d 03:04 ago)"},
    "contract": {"circuit_id": "PF-AP-1", "end_date": "2027-01-01T00:00:00+00:00"},
    "flex_bandwidth": {"flex_bandwidth_id": "PF-AB-1"},
    "label": {"labels": "staging"},
    "circuit_label": {"objects": "PF-AE-LAX1-1234"},
}
"""By resource, the fields of strings that are used; every other string holds a canary."""

REQUESTS = [(resource, request) for resource in POLLED for request in resource.requests]


def body_with_canaries(openapi: Any, resource: PolledResource, request: PolledRequest) -> Any:
    """A body as described, with a canary in every string that is not exported."""
    exported = EXPORTED.get(resource.name, {})

    def fill(path: str, schema: dict[str, Any]) -> object:
        return exported.get(path) or schema.get("enum", [f"{CANARY}-{path}"])[0]

    return body(openapi, response_schema(openapi, request.path), fill)


def ids(value: object) -> str:
    return f"{value.name}" if isinstance(value, PolledResource) else getattr(value, "kind", "")


@pytest.mark.parametrize(("resource", "request_"), REQUESTS, ids=ids)
def test_requests_are_described(resource: PolledResource, request_: PolledRequest, openapi: Any) -> None:
    """Every path and query parameter is in the API's description."""
    described = operation(openapi, request_.path)
    names = {_parameter(openapi, one).get("name") for one in described.get("parameters", [])}
    assert request_.query.keys() <= names
    if request_.key:
        assert {"offset", "page_size"} <= names


def _parameter(openapi: Any, parameter: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in parameter:
        return openapi["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]  # type: ignore[no-any-return]
    return parameter


@pytest.mark.parametrize(("resource", "request_"), REQUESTS, ids=ids)
def test_described_responses(resource: PolledResource, request_: PolledRequest, openapi: Any) -> None:
    """A response with every described field is read without rejections, and nothing but metrics is kept."""
    context = ReadContext("PF-1", request_.kind)
    if resource.name in ("port_optics", "cloud_router_connection_rates"):
        schema = response_schema(openapi, request_.path)
        reading = resource.read(schema["example"], context)
        assert reading.measured_at
    else:
        reading = resource.read(body_with_canaries(openapi, resource, request_), context)
        assert CANARY not in repr(reading)
    assert reading.rejected == ()
    assert reading != Reading()
    families = {family.name for other in POLLED for family in other.families}
    assert {sample.family for sample in reading.samples} <= families


@pytest.mark.parametrize("resource", POLLED, ids=ids)
@pytest.mark.parametrize(
    "odd", [None, "text", 5, {}, [], [None, 5, "x", [], {}], {"labels": 5, "objects": {}}]
)
def test_odd_responses(resource: PolledResource, odd: Any) -> None:
    """A response of another form gives nothing, or a ValueError; never another exception."""
    kind = resource.requests[0].kind
    try:
        reading = resource.read(odd, ReadContext("PF-1", kind))
    except ValueError:
        return
    routes = BGP_ROUTE_COUNTS.families[0].name
    assert {sample.family for sample in reading.samples} <= {routes}


def maintenance(**fields: object) -> dict[str, object]:
    """A notification."""
    return {
        "uuid": "m-1",
        "type": "open",
        "action": "upgrade",
        "time_start": "2026-11-01T10:00:00.00000",
        "time_updated": "2026-10-01T00:00:00",
        **fields,
    }


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("action", ACTIONS)
def test_type_and_action_by_value(kind: str, action: str) -> None:
    """Whichever of the two fields holds it, a value is the type or the action that it belongs to."""
    for first, second in ((kind, action), (action, kind)):
        (read,) = MAINTENANCE.read([maintenance(type=first, action=second)], TARGET).maintenances
        assert (read.type, read.action) == (kind, action)


def test_the_described_values_of_maintenances(openapi: Any) -> None:
    """The values that decide between type and action are those that the API describes."""
    properties = resolved(openapi, response_schema(openapi, MAINTENANCE.requests[0].path)["items"])[
        "properties"
    ]
    assert set(properties["type"]["enum"]) == set(ACTIONS)
    assert set(properties["action"]["enum"]) == set(TYPES)


def test_the_newest_notification_wins() -> None:
    """Of several notifications about a maintenance only the one that was updated last counts."""
    rows = [
        maintenance(time_updated="2026-10-02T00:00:00", type="update", jira_key="new"),
        maintenance(time_updated="2026-10-01T00:00:00", jira_key="old"),
        maintenance(uuid="m-2", time_updated=None, time_created=None),
        maintenance(uuid=""),
    ]
    reading = MAINTENANCE.read(rows, TARGET)
    assert [(one.uuid, one.ticket) for one in reading.maintenances] == [("m-1", "new"), ("m-2", "")]
    assert reading.rejected == ("uuid",)


@pytest.mark.parametrize(
    ("zone", "text", "start"),
    [
        (timezone.utc, "2026-11-01T10:00:00.00000", 1793527200.0),
        (ZoneInfo("America/New_York"), "2026-11-01T10:00:00.00000", 1793527200.0 + 5 * 3600),
        (ZoneInfo("America/New_York"), "2026-07-01T10:00:00", 1782900000.0 + 4 * 3600),
        (ZoneInfo("America/New_York"), "2026-11-01T10:00:00Z", 1793527200.0),
        (ZoneInfo("America/New_York"), "2026-11-01T10:00:00+01:00", 1793527200.0 - 3600),
    ],
)
def test_the_zone_of_maintenances(zone: Any, text: str, start: float) -> None:
    """A time without a zone is in the configured one, with its summer time; any other keeps its own."""
    reading = MAINTENANCE.read([maintenance(time_start=text)], ReadContext(zone=zone))
    assert reading.maintenances[0].start == start


def test_api_keys() -> None:
    """Of keys with one name the first to expire counts; ours is marked; one that never expires is absent."""
    rows = [
        {"uuid": "k-1", "name": "a", "expiration": "2027-01-02T00:00:00Z"},
        {"uuid": "k-2", "name": "a", "expiration": "2027-01-01T00:00:00Z"},
        {"uuid": "k-3", "name": "ours", "expiration": "2027-01-01T00:00:00Z"},
        {"uuid": "k-4", "name": "forever", "expiration": None},
        {"uuid": "k-5", "name": "odd", "expiration": "soon"},
    ]
    reading = API_KEYS.read(rows, ReadContext(is_own_key=lambda uuid: uuid == "k-3"))
    assert {sample.labels: sample.value for sample in reading.samples} == {
        ("a", "false"): 1798761600.0,
        ("ours", "true"): 1798761600.0,
    }
    assert reading.rejected == ("expiration",)


def test_bgp_log() -> None:
    """Only changes of state are transitions; an unknown state is ``other``."""
    rows = [
        {
            "message": "BGP peer 10.0.0.1 changed state from Idle to Active",
            "timestamp": "2026-01-01T00:00:00Z",
        },
        {"message": "BGP peer 10.0.0.1 changed state from Idle to Odd", "timestamp": "2026-01-01T00:00:01Z"},
        {"message": "something else", "timestamp": "2026-01-01T00:00:00Z"},
        {"message": "changed state from Idle to Active", "timestamp": None},
        {"message": None},
    ]
    reading = BGP_LOG.read(rows, TARGET)
    assert [one.to for one in reading.transitions] == ["active", "other"]
    assert reading.rejected == ("timestamp",)


def test_bgp_settings_and_routes() -> None:
    """A session without the flag has no sample; routes are only counted."""
    reading = BGP_SETTINGS.read(
        [{"bgp_settings_uuid": "a", "disabled": True}, {"bgp_settings_uuid": "b"}, {"disabled": "no"}], TARGET
    )
    assert [(sample.labels, sample.value) for sample in reading.samples] == [(("a",), 0.0)]
    assert reading.rejected == ("disabled",)
    (sample,) = BGP_ROUTE_COUNTS.read([{"prefix": "10.0.0.0/8"}] * 3, TARGET).samples
    assert (sample.labels, sample.value) == (("PF-1", "received"), 3.0)


def test_cloud_state() -> None:
    """Each layer that the API sends has its state set; an unknown state is ``other``, and null is absent."""
    state = {"bgp_state": "Up", "aws_vif_state": "odd", "google_interconnect_admin_enabled": False}
    state |= {"aws_dx_connection_state": None, "google_interconnect_state": 5}
    reading = CLOUD_STATE.read({"cloud_settings": {"cloud_state": state}}, TARGET)
    assert {sample.labels[1:] for sample in reading.samples if sample.value} == {
        ("bgp", "up"),
        ("aws_vif", "other"),
        ("google_interconnect_admin", "disabled"),
    }
    assert reading.rejected == ("google_interconnect_state",)
    assert CLOUD_STATE.read({"cloud_settings": None}, TARGET).samples == ()


def test_connections_of_cloud_routers_are_not_asked_twice() -> None:
    """Connections of cloud routers have their own list."""
    rows = [{"cloud_circuit_id": "a", "is_cloud_router_connection": True}, {"cloud_circuit_id": "b"}]
    assert HOSTED_CONNECTIONS.read(rows, TARGET).ids == ("b",)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-08-20 22:08:37 UTC (1w2d 03:04 ago)", 1787263717.0),
        ("2026-08-20T22:08:37.5Z", 1787263717.5),
        ("2026-08-20 22:08:37", 1787263717.0),
        ("Never", None),
        ("", None),
        (None, None),
    ],
)
def test_last_flap(text: object, at: float | None) -> None:
    """The time as Junos prints it, or as ISO date; "Never" is absent."""
    reading = PORT_DEVICES.read({"time_flapped": text}, TARGET)
    assert [sample.value for sample in reading.samples] == ([] if at is None else [at])
    assert reading.rejected == ()


@pytest.mark.parametrize("text", ["yesterday", "2026-08-20 22:08:37 PST (1w2d ago)"])
def test_unusable_last_flap(text: str) -> None:
    """A zone other than UTC cannot be read."""
    assert PORT_DEVICES.read({"time_flapped": text}, TARGET).rejected == ("time_flapped",)


def test_thresholds() -> None:
    """Only the thresholds that are numbers are there."""
    device = {"rx_power_low_alarm_threshold_dbm": -14, "tx_power_high_warn_threshold_dbm": "x"}
    reading = PORT_DEVICES.read({**device, "rx_power_high_alarm_threshold_dbm": None}, TARGET)
    assert [(one.labels, one.value) for one in reading.samples] == [(("PF-1", "low_alarm"), -14.0)]
    assert reading.rejected == ("tx_power_high_warn_threshold_dbm",)


def test_optics() -> None:
    """The newest row with a value counts; nulls are absent."""
    rows = [[1591115100, 37.0333, 3.2488]]
    reading = PORT_OPTICS.read([[2e9, None, None], [*rows[0][:2], None], [1.0, 5, 5], "x", []], TARGET)
    (sample,) = reading.samples
    assert (sample.family, sample.value) == ("packetfabric_port_temperature_celsius", 37.0333)
    assert reading.measured_at == rows[0][0]


def test_orders() -> None:
    """The latest end of a circuit's orders counts, and rates are dropped."""
    rows = [
        {"circuit_id": "a", "end_date": "2027-01-01T00:00:00+00:00", "rate": 500},
        {"circuit_id": "a", "end_date": "2026-01-01T00:00:00+00:00", "rate": 501},
        {"circuit_id": "b", "end_date": None},
        {"circuit_id": None, "end_date": "2026-01-01T00:00:00+00:00"},
    ]
    reading = ORDERS.read(rows, TARGET)
    assert [(one.labels, one.value) for one in reading.samples] == [(("a",), 1798761600.0)]


def test_flex_bandwidth() -> None:
    """Mbps become bytes per second."""
    rows = [{"flex_bandwidth_id": "f", "capacity_mbps": 100, "used_capacity_mbps": "x"}]
    reading = FLEX_BANDWIDTH.read(rows, TARGET)
    assert [(one.labels, one.value) for one in reading.samples] == [(("f",), 12.5e6)]
    assert reading.rejected == ("used_capacity_mbps",)


def test_pops() -> None:
    """The first site with both coordinates stands for a POP; impossible coordinates are dropped."""
    rows = [
        {"pop": "A", "latitude": "", "longitude": ""},
        {"pop": "A", "latitude": 38.59229, "longitude": "-121.277357", "city": "X"},
        {"pop": "B", "latitude": "95", "longitude": "1"},
        {"pop": "C", "latitude": "nan", "longitude": "x"},
        {"pop": "D", "latitude": 10**400, "longitude": True},
        {"pop": ""},
    ]
    reading = POPS.read(rows, TARGET)
    assert [sample.labels[:4] for sample in reading.samples] == [
        ("A", "X", "38.59229", "-121.277357"),
        ("B", "", "", ""),
        ("C", "", "", ""),
        ("D", "", "", ""),
    ]


def test_labels() -> None:
    """Labels are listed, then each gives its circuits."""
    assert LABELS.read({"labels": ["a", "b", "a", 5, ""]}, TARGET).ids == ("a", "b")
    reading = CIRCUIT_LABELS.read({"objects": ["PF-1", "PF-1", None, "PF-2"]}, ReadContext("a b"))
    assert [sample.labels for sample in reading.samples] == [("PF-1", "a b"), ("PF-2", "a b")]
