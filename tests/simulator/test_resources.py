"""Polled resources agree with the events that are streamed, and with each other."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pf_exporter.simulator import Network, Simulator
from pf_exporter.simulator.canaries import CANARIES
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources import RESOURCES, Query
from pf_exporter.simulator.time_range import parse_time
from tests.simulator.client import Client
from tests.simulator.conftest import NOW
from tests.simulator.samples import take_sample


def get(client: Client, path: str, **query: object) -> Any:
    response = client.request("GET", path, **query)
    assert response.status_code == 200, response.text
    return response.json()


def test_device_info_agrees_with_the_stream(client: Client, network: Network) -> None:
    """Traffic and lanes are those of the events; a healthy port is within its thresholds."""
    sample = take_sample(network, NOW)
    for port in network.ports:
        info = get(client, f"/v2/ports/{port.circuit_id}/device-info")
        assert info["traffic_rx_bytes"] == sample["port|metrics", port.circuit_id]["bytes_rx_total"]
        if port.members:
            assert "optics_diagnostics_lane_values" not in info
            continue
        optical = sample["port|optical", port.circuit_id]
        for lane in info["optics_diagnostics_lane_values"]:
            power = optical[f"lane_{lane['lane_index']}_rx_dbm"]
            assert lane["rx_power_dbm"] == power
            if port is not network.ports[2]:
                low, high = info["rx_power_low_warn_threshold_dbm"], info["rx_power_high_warn_threshold_dbm"]
                assert low < power < high


def test_router_logs_have_the_times_of_flaps(client: Client, network: Network) -> None:
    """The link goes down and comes up at the logged times; the last change is that of device-info."""
    flapping, steady = network.ports[1], network.ports[9]
    query = {"time_from": "2026-09-21 12:00:00", "time_to": "2026-09-21T15:00:00Z"}
    rows = get(client, f"/v2/ports/{flapping.circuit_id}/router-logs", **query)
    assert len(rows) > 25
    for row in rows:
        at = parse_time("timestamp", row["timestamp"])
        assert flapping.up(at) is ("ifOperStatus up" in row["message"])
        assert flapping.up(at) is not flapping.up(at - 1)
    info = get(client, f"/v2/ports/{flapping.circuit_id}/device-info")
    assert info["time_flapped"][:19] == rows[0]["timestamp"][:19].replace("T", " ")
    assert get(client, f"/v2/ports/{steady.circuit_id}/router-logs", **query) == []
    assert get(client, f"/v2/ports/{steady.circuit_id}/device-info")["time_flapped"] == "Never"
    assert client.request("GET", f"/v2/ports/{steady.circuit_id}/router-logs").status_code == 400


def test_terms_end_at_different_times(client: Client, network: Network) -> None:
    """Terms end in a week, a month, three months and years; one has lapsed."""
    account = get(client, "/v2/ports")[0]["account_uuid"]
    orders = get(client, f"/v2/billing/services/{account}")
    assert len(orders) == len(network.ports) + len(network.circuits)
    days = [(datetime.fromisoformat(row["end_date"]).timestamp() - NOW) / 86400 for row in orders]
    assert [round(day) for day in days[:4]] == [4, 24, 79, -41]
    assert min(days[4:]) > 90
    (order,) = get(client, f"/v2/billing/services/{orders[0]['circuit_id']}")
    assert order["term"]["commitment_end_date"] == orders[0]["end_date"]
    assert client.request("GET", "/v2/billing/services/PF-AP-NONE-1").status_code == 404


def test_flex_bandwidth_is_what_its_circuits_use(client: Client) -> None:
    """The used capacity is the sum of the circuits that name the container."""
    (container,) = get(client, "/v2/flex-bandwidth")
    used = [
        row["rate_limit_in"]
        for row in get(client, "/v2/services")
        if row.get("flex_bandwidth_id") == container["flex_bandwidth_id"]
    ]
    assert used
    assert container["used_capacity_mbps"] == sum(used) <= container["capacity_mbps"]


def test_locations(client: Client) -> None:
    """Every POP of a port has one primary location with coordinates; other sites are listed on request."""
    locations = get(client, "/v2/locations")
    assert {row["pop"] for row in get(client, "/v2/ports")} <= {row["pop"] for row in locations}
    assert all(-90 < float(row["latitude"]) < 90 and row["type"] == "primary" for row in locations)
    assert len(get(client, "/v2/locations", any_type="true")) > len(locations)
    assert [row["timezone"] for row in get(client, "/v2/locations", pop="LON1")] == ["Europe/London"]


def test_labels(client: Client, network: Network) -> None:
    """Every circuit has one label; a label can have a space and an ampersand."""
    objects = [
        circuit
        for label in get(client, "/v2/labels")["labels"]
        for circuit in get(client, f"/v2/labels/{quote(label, safe='')}")["objects"]
    ]
    circuits = [port.circuit_id for port in network.ports] + [
        circuit.circuit_id for circuit in network.circuits
    ]
    assert sorted(objects) == sorted(circuits)
    assert client.request("GET", "/v2/labels/none").status_code == 404


def test_cloud_connections(client: Client) -> None:
    """Every connection has a cloud side; that of cloud router connections has no BGP state."""
    path = "/v2/services/cloud/connections"
    rows = [*get(client, f"{path}/hosted"), *get(client, f"{path}/dedicated")]
    details = [get(client, f"{path}/{row['cloud_circuit_id']}") for row in rows]
    states = [row["cloud_settings"]["cloud_state"]["bgp_state"] for row in details]
    assert states == ["up", "up", "unknown", "down"]
    for row in get(client, "/v2/services/cloud-routers/connections"):
        detail = get(client, f"/v2/services/cloud-routers/connections/{row['cloud_circuit_id']}")
        assert "bgp_state" not in detail["cloud_settings"]["cloud_state"]
    assert client.request("GET", "/v2/services/cloud/connections/PF-CC-1").status_code == 404


def test_responses_contain_canaries(simulator: Simulator) -> None:
    """Every value that stands for a secret or for personal data is in some response."""
    account = get(Client(simulator), "/v2/ports")[0]["account_uuid"]
    paths = {
        "cloud": "",
        "connection": "PF-L3-CON-4000002",
        "internet": "PF-L3-TRAN-4200001",
        "billed": account,
    }
    bodies = ""
    for hosted in ("PF-CC-LAX-LAX-4100001-PF", "PF-CC-NYC-NYC-4100002-PF"):
        query = Query(simulator.network, NOW, path=paths | {"cloud": hosted})
        for resource in RESOURCES:
            if resource.name.value in ("cloud-state", "internet-bgp", "billing"):
                bodies += json.dumps(resource.answer(query))
    assert [canary for canary in CANARIES if canary not in bodies] == []


def test_resources_are_documented() -> None:
    """The documentation lists the name and the path of every resource."""
    page = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    for resource in RESOURCES:
        assert any(f"| `{resource.name.value}` |" in row and f"`{resource.path}`" in row for row in rows)
    assert {resource.name for resource in RESOURCES} == set(ResourceName)
