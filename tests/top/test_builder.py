"""Circuits built from samples of metric families."""

from __future__ import annotations

from itertools import permutations

import pytest

from pf_exporter.metrics.inventory_collector import FAMILIES as INVENTORY_FAMILIES
from pf_exporter.metrics.metric_family import exposed_name
from pf_exporter.metrics.stream_families import describe_stream_families
from pf_exporter.top.builder import FAMILIES, CircuitBuilder
from pf_exporter.top.circuit import Circuit, Kind, State

PORT = {"account": "acme", "port_circuit_id": "PF-AP-LAX1-1"}
VC = {"account": "acme", "vc_circuit_id": "PF-BC-LAX-NYC-7-PF"}
END = {**VC, "port_circuit_id": "PF-AP-LAX1-1", "vlan": "4"}


def built(*samples: tuple[str, dict[str, str], float]) -> list[Circuit]:
    builder = CircuitBuilder()
    for family, labels, value in samples:
        builder.add(f"packetfabric_{family}", labels, value)
    return list(builder.build())


def test_every_family_exists() -> None:
    """The families that circuits are built from are families of the exporter."""
    exported = {exposed_name(family) for family in describe_stream_families()} | {
        spec.name for spec in INVENTORY_FAMILIES
    }
    assert exported >= FAMILIES


def test_a_port() -> None:
    """A port has the values of its families: bits, the weakest lane, the sum of errors."""
    (port,) = built(
        ("port_receive_bytes_per_second", PORT, 125.0),
        ("port_transmit_bytes_per_second", PORT, 250.0),
        ("port_receive_unspecified_errors_total", PORT, 3.0),
        ("port_transmit_unspecified_errors_total", PORT, 4.0),
        ("port_optical_receive_power_dbm", {**PORT, "lane": "0"}, -3.0),
        ("port_optical_receive_power_dbm", {**PORT, "lane": "1"}, -5.5),
        ("port_last_event_timestamp_seconds", {**PORT, "category": "metrics"}, 100.0),
        ("port_last_event_timestamp_seconds", {**PORT, "category": "errors"}, 90.0),
        ("port_info", {**PORT, "description": "Los Angeles\x1b[2J core"}, 1.0),
        ("port_speed_bytes_per_second", PORT, 1.25e9),
        ("port_operational_up", PORT, 1.0),
        ("port_admin_up", PORT, 1.0),
    )
    assert port == Circuit(
        Kind.PORTS,
        "acme",
        "PF-AP-LAX1-1",
        name="Los Angeles[2J core",
        up=1.0,
        enabled=1.0,
        speed=10e9,
        receive=1000.0,
        transmit=2000.0,
        errors=7.0,
        light=-5.5,
        last_event=100.0,
    )


def test_spellings_of_an_id_are_one_circuit() -> None:
    """Samples with and without -PF belong to one circuit; the first form is shown."""
    (port,) = built(
        ("port_receive_bytes_per_second", PORT, 1.0),
        ("port_info", {**PORT, "port_circuit_id": "PF-AP-LAX1-1-PF", "description": "core"}, 1.0),
    )
    assert (port.circuit, port.name, port.receive) == ("PF-AP-LAX1-1", "core", 8.0)


def test_the_ends_of_a_virtual_circuit() -> None:
    """Each end has a row with the values of the whole circuit, of its port, and its own, in any order."""
    samples = (
        ("vc_receive_bytes_per_second", END, 1.0),
        ("vc_receive_bytes_per_second", {**END, "vlan": "5"}, 2.0),
        ("vc_last_event_timestamp_seconds", {k: v for k, v in END.items() if k != "vlan"}, 100.0),
        ("vc_info", {**VC, "description": "transit"}, 1.0),
        ("port_speed_bytes_per_second", PORT, 1.25e9),
    )
    for order in permutations(samples):
        ends = {end.vlan: end for end in built(*order) if end.kind is Kind.VCS}
        assert {vlan: end.receive for vlan, end in ends.items()} == {"4": 8.0, "5": 16.0}
        assert {(end.name, end.last_event, end.speed, end.port) for end in ends.values()} == {
            ("transit", 100.0, 10e9, "PF-AP-LAX1-1")
        }


def test_a_virtual_circuit_without_data_has_a_row() -> None:
    """A virtual circuit that only the inventory has is shown once, one that fell silent once per port."""
    (end,) = built(("vc_info", {**VC, "description": "new"}, 1.0), ("vc_connected", VC, 1.0))
    assert (end.circuit, end.port, end.vlan, end.state) == ("PF-BC-LAX-NYC-7-PF", "", "", State.NO_DATA)
    (end,) = built(
        ("vc_connected", VC, 0.0),
        ("vc_last_event_timestamp_seconds", {k: v for k, v in END.items() if k != "vlan"}, 100.0),
    )
    assert (end.port, end.vlan, end.last_event, end.state) == ("PF-AP-LAX1-1", "", 100.0, State.DOWN)


def test_accounts_are_kept_apart() -> None:
    """The same ID in two accounts is two circuits."""
    circuits = built(
        ("port_admin_up", PORT, 1.0),
        ("port_admin_up", {**PORT, "account": "other"}, 0.0),
    )
    assert [(circuit.account, circuit.enabled) for circuit in circuits] == [("acme", 1.0), ("other", 0.0)]


def test_a_sample_without_an_id_is_ignored() -> None:
    """A page that is not quite the exporter's causes no error."""
    assert built(("port_admin_up", {}, 1.0), ("vc_connected", {"port_circuit_id": "x"}, 1.0)) == []


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"receive": 1.0, "up": 1.0}, State.UP),
        ({"receive": 1.0}, State.UP),
        ({"receive": 1.0, "up": 0.0}, State.DOWN),
        ({"receive": 1.0, "up": 0.0, "enabled": 0.0}, State.DISABLED),
        ({"up": 1.0}, State.NO_DATA),
        ({"up": 0.0}, State.DOWN),
        ({}, State.NO_DATA),
    ],
)
def test_states(values: dict[str, float], state: State) -> None:
    """Disabled comes before down, down before no data; without an inventory data means up."""
    assert Circuit(Kind.PORTS, "acme", "PF-AP-LAX1-1", **values).state is state  # type: ignore[arg-type]


def test_loads() -> None:
    """A rate is compared with the limit of the virtual circuit, else with the port's speed."""
    limited = Circuit(
        Kind.VCS, "a", "b", speed=10.0, receive_limit=4.0, transmit_limit=2.0, receive=1.0, transmit=1.0
    )
    assert (limited.receive_load, limited.transmit_load, limited.capacity) == (0.25, 0.5, 4.0)
    port = Circuit(Kind.PORTS, "a", "b", speed=10.0, receive=1.0)
    assert (port.receive_load, port.transmit_load, port.capacity, port.utilization) == (
        0.1,
        None,
        10.0,
        (0.1, 1.0),
    )
