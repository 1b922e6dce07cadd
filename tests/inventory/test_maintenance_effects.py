"""Which circuits a maintenance affects."""

from __future__ import annotations

from typing import Any

import pytest

from pf_exporter.inventory.maintenance_effects import effects
from pf_exporter.inventory.snapshot import Snapshot
from pf_exporter.schema.labels import canonical_id
from pf_exporter.schema.maintenance import Maintenance
from pf_exporter.schema.resource import Resource
from pf_exporter.schema.resources.cloud_router_connections import CLOUD_ROUTER_CONNECTIONS
from pf_exporter.schema.resources.ports import PORTS
from pf_exporter.schema.resources.virtual_circuits import VIRTUAL_CIRCUITS


def snapshot() -> Snapshot:
    """Ports A and B in LAX1 and C in NYC1, a circuit between each two of them, and a connection in NYC1."""
    ports = [
        {"port_circuit_id": "A", "pop": "LAX1"},
        {"port_circuit_id": "B-PF", "pop": "LAX1"},
        {"port_circuit_id": "C", "pop": "NYC1"},
    ]
    vcs = [
        {"vc_circuit_id": f"V{a}{z}", "interfaces": [{"port_circuit_id": a}, {"port_circuit_id": z}]}
        for a, z in ("AB", "BC", "CX")
    ]
    connections = [{"cloud_circuit_id": "L", "pop": "NYC1"}]
    lists: list[tuple[Resource, list[dict[str, Any]]]] = [
        (PORTS, ports),
        (VIRTUAL_CIRCUITS, vcs),
        (CLOUD_ROUTER_CONNECTIONS, connections),
    ]
    found = {}
    for resource, items in lists:
        circuits = [resource.parse(item, ())[0] for item in items]
        found[resource.name] = {canonical_id(one.id): one for one in circuits if one is not None}
    return Snapshot().updated(found, 1000, 0.0)


@pytest.mark.parametrize(
    ("fields", "affected"),
    [
        ({"ports": ("A",), "pops": ("LAX1",), "system_wide": True}, "A"),
        ({"vcs": ("VBC", "VAB"), "excluded": ("VAB-PF",)}, "VBC"),
        ({"cloud_router_connections": ("L",), "pops": ("LAX1",)}, "L"),
        ({"ports": ("A", "unknown"), "excluded": ("A",)}, "unknown"),
        ({"pops": ("LAX1",)}, "A B-PF VAB VBC"),
        ({"pops": ("NYC1", "LON1")}, "C VBC VCX L"),
        ({"pops": ("LAX1",), "excluded": ("B",)}, "A VAB"),
        ({"pops": ("LAX1",), "excluded": ("A", "B-PF")}, ""),
        ({"pops": ("LON1",)}, ""),
        ({"system_wide": True}, "A B-PF C VAB VBC VCX L"),
        ({"system_wide": True, "excluded": ("C", "VAB", "L")}, "A B-PF VBC VCX"),
        ({}, ""),
    ],
)
def test_effects(fields: dict[str, Any], affected: str) -> None:
    """POPs and system-wide become circuits only if no circuit is listed, and excluded ones are left out."""
    found = effects(Maintenance("m", "", "outage", "open", 0.0, 1.0, 0.0, **fields), snapshot())
    assert " ".join((*found.ports, *found.vcs, *found.cloud_router_connections)) == affected
    assert len(found) == len(affected.split())
