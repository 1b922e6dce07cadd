"""Panels while two exporters disagree: one has polled a change that the other has not."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.grafana.test_dashboards import BOARDS, VALUES, expressions, interpolate
from tests.rules.test_rules import promtool

PORTS = (VALUES["port"], "PF-AP-LAX1-2000002")
LAG = "PF-AE-NYC1-2000004"
VC = VALUES["vc"]
CONNECTION = "PF-L3-CON-1"


def _series(name: str, instance: str, value: float = 1.0, **labels: str) -> dict[str, str]:
    common = {"job": "packetfabric", "instance": instance, "account": "east"}
    pairs = ",".join(f'{key}="{label}"' for key, label in (common | labels).items())
    return {"series": f"packetfabric_{name}{{{pairs}}}", "values": f"{value}x60"}


def _page(instance: str) -> list[dict[str, str]]:
    """Return what one of the exporters shows; each label that can change contains its name."""
    series = [
        _series("pop_info", instance, pop="LAX1", city=instance, latitude="34", longitude="-118"),
        _series(
            "vc_info",
            instance,
            vc_circuit_id=VC,
            port_a=PORTS[instance == "b"],
            port_z=LAG,
            description=instance,
        ),
        _series("vc_connected", instance, vc_circuit_id=VC),
        _series("vc_receive_limit_bytes_per_second", instance, 1e9, vc_circuit_id=VC),
        _series("vc_transmit_limit_bytes_per_second", instance, 1e9, vc_circuit_id=VC),
        _series(
            "cloud_router_connection_info",
            instance,
            cloud_circuit_id=CONNECTION,
            description=instance,
            service_provider=instance,
        ),
        _series("cloud_router_connection_speed_bytes_per_second", instance, 1e9, cloud_circuit_id=CONNECTION),
        _series(
            "cloud_router_connection_bgp_up", instance, cloud_circuit_id=CONNECTION, bgp_settings_uuid="1"
        ),
        _series("cloud_router_connection_bgp_routes", instance, cloud_circuit_id=CONNECTION, type="received"),
        _series(
            "cloud_router_connection_bgp_state",
            instance,
            cloud_circuit_id=CONNECTION,
            bgp_settings_uuid="1",
            state="established",
        ),
        _series("maintenance_start_timestamp_seconds", instance, 0.0, maintenance="M-1"),
        _series("maintenance_end_timestamp_seconds", instance, 1e9, maintenance="M-1"),
        _series("maintenance_affects_vc", instance, maintenance="M-1", vc_circuit_id=VC),
    ]
    for port in (*PORTS, LAG):
        lag = LAG if port != LAG and (instance == "a") == (port == PORTS[0]) else ""
        pop = "LAX1" if instance == "a" else "NYC1"
        labels = {"pop": pop, "market": instance, "description": instance, "lag": lag}
        series.append(_series("port_info", instance, 1.0, port_circuit_id=port, **labels))
        series.append(_series("port_operational_up", instance, port_circuit_id=port))
        series.append(_series("port_speed_bytes_per_second", instance, 1e9, port_circuit_id=port))
        for direction in ("receive", "transmit"):
            rate = f"{direction}_bytes_per_second"
            series.append(_series(f"port_{rate}", instance, 1e6, port_circuit_id=port))
            end = {"vc_circuit_id": VC, "port_circuit_id": port, "vlan": "4"}
            series.append(_series(f"vc_{rate}", instance, 1e6, **end))
    for direction in ("receive", "transmit"):
        name = f"cloud_router_connection_{direction}_bytes_per_second"
        series.append(_series(name, instance, 1e6, cloud_circuit_id=CONNECTION))
    return series


def test_joins_have_one_match(tmp_path: Path) -> None:
    """No expression of a panel fails because a join finds two series with different labels for a circuit."""
    found = [
        interpolate(expression, board=name, panel=panel["title"])
        for name, board in BOARDS.items()
        for panel in board["panels"]
        for expression in expressions(panel)
    ]
    cases = [
        {
            "expr": f"vector(1) unless count({expression}) < 0",
            "eval_time": "30m",
            "exp_samples": [{"labels": "{}", "value": 1.0}],
        }
        for expression in found
    ]
    tests = {
        "tests": [{"interval": "1m", "input_series": _page("a") + _page("b"), "promql_expr_test": cases}]
    }
    file = tmp_path / "tests.yml"
    file.write_text(yaml.safe_dump(tests))
    promtool("test", "rules", file)
