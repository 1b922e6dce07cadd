"""Which circuits of an account a maintenance affects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pf_exporter.inventory.snapshot import Snapshot
from pf_exporter.schema import (
    CLOUD_ROUTER_CONNECTIONS,
    PORTS,
    VIRTUAL_CIRCUITS,
    Maintenance,
    Resource,
    canonical_id,
)


class Effects(NamedTuple):
    """The IDs of the affected circuits."""

    ports: tuple[str, ...]
    vcs: tuple[str, ...]
    cloud_router_connections: tuple[str, ...]

    def __len__(self) -> int:
        return sum(len(ids) for ids in (self.ports, self.vcs, self.cloud_router_connections))


def effects(maintenance: Maintenance, snapshot: Snapshot) -> Effects:
    """Return what a maintenance affects.

    POPs and "system-wide" are expanded to the account's circuits only if the notification lists no circuit:
    otherwise they describe where the work takes place, and an outage of another circuit would be hidden.
    """
    excluded = {canonical_id(circuit) for circuit in maintenance.excluded}

    def without_excluded(ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(circuit for circuit in ids if canonical_id(circuit) not in excluded)

    if maintenance.lists_circuits:
        return Effects(
            without_excluded(maintenance.ports),
            without_excluded(maintenance.vcs),
            without_excluded(maintenance.cloud_router_connections),
        )
    pops = None if maintenance.system_wide else frozenset(maintenance.pops)
    ports = without_excluded(_in_pops(PORTS, snapshot, pops))
    affected = {canonical_id(port) for port in ports}
    vcs = (
        circuit.id
        for circuit in snapshot.of(VIRTUAL_CIRCUITS).values()
        if pops is None
        or any(canonical_id(VIRTUAL_CIRCUITS.label(circuit, end)) in affected for end in ("port_a", "port_z"))
    )
    connections = _in_pops(CLOUD_ROUTER_CONNECTIONS, snapshot, pops)
    return Effects(ports, without_excluded(vcs), without_excluded(connections))


def _in_pops(resource: Resource, snapshot: Snapshot, pops: frozenset[str] | None) -> list[str]:
    """Return the circuits of a resource in these POPs; all of them for None."""
    return [
        circuit.id
        for circuit in snapshot.of(resource).values()
        if pops is None or resource.label(circuit, "pop") in pops
    ]
