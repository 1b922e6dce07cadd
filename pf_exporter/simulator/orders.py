"""Ports and virtual circuits that are ordered, not finished or switched off; no event is about them."""

from __future__ import annotations

import random
from collections.abc import Sequence

from pf_exporter.simulator.topology import POPS, Circuit, End, Port
from pf_exporter.simulator.traffic import Traffic

# State, status of provisioning, and whether it is enabled. The description of the API has no other states.
_PORT_STATES = (
    ("Requested", "provisioning", False),
    ("Active", "provisioning", False),
    ("Active", "active", False),
)
_CIRCUIT_STATES = (
    "Requested",
    "Pending",
    "Inactive",
    "RequestSent",
    "RequestAccepted",
    "UpdateRequested",
    "UpdateFailed",
)
_FIRST_VLAN = 4000


def build_ordered_ports(count: int) -> list[Port]:
    """Return ``count`` ports in all states in turn."""
    ports = []
    for index in range(count):
        pop = POPS[index % len(POPS)]
        state, status, is_enabled = _PORT_STATES[index % len(_PORT_STATES)]
        ports.append(
            Port(
                circuit_id=f"PF-AP-{pop.name}-{2900001 + index}",
                pop=pop,
                zone="A",
                gbps=10,
                media="LR",
                description=f"{pop.market_description} order {index + 1}",
                is_enabled=is_enabled,
                state=state,
                status=status,
                is_silent=True,
            )
        )
    return ports


def build_ordered_circuits(ports: Sequence[Port], count: int) -> list[Circuit]:
    """Return ``count`` circuits between the ports, in all states in turn."""
    rng = random.Random(0)  # Without effect: they carry nothing.
    circuits = []
    for index in range(count if ports else 0):
        a, z = ports[index % len(ports)], ports[(index + 1) % len(ports)]
        vlan = _FIRST_VLAN + index % 94
        circuits.append(
            Circuit(
                circuit_id=f"PF-BC-{a.pop.market}-{z.pop.market}-{3900001 + index}-PF",
                a=End(a, a, vlan),
                z=End(z, z, vlan),
                mbps=1000,
                speed="1Gbps",
                description=f"{a.pop.name} to {z.pop.name} (order {index + 1})",
                az=Traffic(rng, 0, 1000),
                za=Traffic(rng, 0, 1000),
                state=_CIRCUIT_STATES[index % len(_CIRCUIT_STATES)],
                is_silent=True,
            )
        )
    return circuits
