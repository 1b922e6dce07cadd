"""Ports and circuits that are ordered are in the lists, with all states, and no event is about them."""

from __future__ import annotations

from pf_exporter.simulator import Network
from tests.simulator.client import Client
from tests.simulator.conftest import NOW, StartSimulator


def test_orders_are_listed_and_silent(start_simulator: StartSimulator) -> None:
    """With seven orders, the lists have seven rows more, in every state; streams are the same."""
    simulator = start_simulator(ordered=7)
    client = Client(simulator)
    ports, circuits = (client.request("GET", path).json() for path in ("/v2/ports", "/v2/services"))
    assert (len(ports), len(circuits)) == (19, 23)
    assert {(row["state"], row["status"], row["admin_status"]) for row in ports[12:]} == {
        ("Requested", "provisioning", "down"),
        ("Active", "provisioning", "down"),
        ("Active", "active", "down"),
    }
    assert len({row["state"] for row in circuits[16:]}) == 7
    assert not any(row["connected"] for row in circuits[16:])
    assert list(simulator.network.measurements(NOW)) == list(Network().measurements(NOW))
    for port, status in ((ports[12], 404), (ports[14], 200)):
        path = f"/v2/ports/{port['port_circuit_id']}/device-info"
        assert client.request("GET", path).status_code == status
    circuit = circuits[16]
    end = circuit["interfaces"][0]["port_circuit_id"]
    path = f"/v2/metrics/virtual-circuits/{circuit['vc_circuit_id']}/interfaces/{end}/rate/bps"
    assert client.request("GET", path).json() == []
