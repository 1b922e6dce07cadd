"""What an exporter polls beside the lists of circuits, as history for the dashboards."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric
from prometheus_client.samples import Sample

from pf_exporter.simulator import Network
from pf_exporter.simulator.bgp import SESSIONS
from pf_exporter.simulator.resources.resource import resource_uuid

_DAY = 86400.0


def _maintenances(network: Network, at: float) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield a maintenance in progress and an announced one, each of a port and its circuits."""
    midnight = at // _DAY * _DAY
    for name, start, port in (
        ("M-1", midnight, network.ports[0]),
        ("M-2", midnight + 2 * _DAY, network.ports[2]),
    ):
        common = {"maintenance": name}
        info = {"type": "routine", "action": "open", "ticket": f"NOC-{name}", "system_wide": "false"}
        yield "maintenance_info", common | info, 1.0
        yield "maintenance_start_timestamp_seconds", common, start
        yield "maintenance_end_timestamp_seconds", common, start + 1.5 * _DAY
        yield "maintenance_affects_port", common | {"port_circuit_id": port.circuit_id}, 1.0
        for circuit in network.circuits:
            if port in (circuit.a.port, circuit.z.port):
                yield "maintenance_affects_vc", common | {"vc_circuit_id": circuit.circuit_id}, 1.0


def _contract(network: Network, at: float) -> Iterator[tuple[str, dict[str, str], float]]:
    for index, port in enumerate(network.ports):
        end = (at // _DAY + 5 + 20 * index) * _DAY
        yield "circuit_term_end_timestamp_seconds", {"circuit_id": port.circuit_id}, end
    yield "api_key_expiry_timestamp_seconds", {"api_key": "exporter", "own": "true"}, (at // _DAY + 25) * _DAY
    flex = {"flex_bandwidth_id": "PF-AB-6000001"}
    yield "flex_bandwidth_capacity_bytes_per_second", flex, 2.5e9
    yield "flex_bandwidth_used_bytes_per_second", flex, 1.5e9


def _places(network: Network, at: float) -> Iterator[tuple[str, dict[str, str], float]]:
    for index, pop in enumerate(sorted({port.pop.name for port in network.ports})):
        labels = {"pop": pop, "city": pop, "timezone": "UTC"}
        yield "pop_info", labels | {"latitude": str(30 + index), "longitude": str(-120 + 9 * index)}, 1.0
    for kind, routes in (("received", 24.0), ("advertised", 12.0)):
        connection = {"cloud_circuit_id": "PF-L3-CON-4000001"}
        yield "cloud_router_connection_bgp_routes", connection | {"type": kind}, routes
        to = {"to": "established" if kind == "received" else "idle"}
        yield "cloud_router_connection_bgp_transitions_total", connection | to, at // 3600


def _optics(network: Network, at: float) -> Iterator[tuple[str, dict[str, str], float]]:
    for index, port in enumerate(network.ports):
        common = {"port_circuit_id": port.circuit_id}
        yield "port_temperature_celsius", common, 34.0 + index + at // 3600 % 4
        yield "port_voltage_volts", common, 3.28 + index / 100
        yield "port_last_flap_timestamp_seconds", common, (at // _DAY - 1 - index) * _DAY


def _cloud(network: Network, at: float) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield the layers of two cloud connections, one without description, and which BGP sessions are on."""
    for connection, layer, current in (
        ("PF-L3-CON-4000001", "aws_vif", "available"),
        ("PF-L3-CON-4000001", "bgp", "up"),
        ("PF-CC-LAX-NYC-5000001-PF", "google_interconnect", "pending_customer"),
    ):
        for state in (current, "down", "other"):
            labels = {"cloud_circuit_id": connection, "layer": layer, "state": state}
            yield "cloud_connection_state", labels, float(state == current)
    for session in SESSIONS:
        uuid = resource_uuid(network.seed, session.key)
        labels = {"cloud_circuit_id": session.connection, "bgp_settings_uuid": uuid}
        yield "cloud_router_connection_bgp_enabled", labels, float(not session.is_disabled)


def polled_metrics(network: Network, at: float, account: str = "default") -> Iterator[Metric]:
    """Yield the metrics at a time."""
    for samples in (_maintenances, _contract, _places, _optics, _cloud):
        for name, labels, value in samples(network, at):
            metric = Metric(f"packetfabric_{name}", "", "unknown")
            metric.samples.append(Sample(f"packetfabric_{name}", {"account": account, **labels}, value))
            yield metric
