"""What the resources with a scope below the account are requested for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote

from pf_exporter.inventory.snapshot import Snapshot
from pf_exporter.schema import CLOUD_ROUTER_CONNECTIONS, PORTS, SAFE_ID, Circuit, Scope

LAG_PREFIX = "PF-AE-"
"""Prefix of the IDs of LAGs, which have no optical module and no router log."""
_ORDERED = frozenset({"requested", "provisioning"})
"""States of a port that has no device yet."""


class Target(NamedTuple):
    """One thing that a resource is requested for."""

    id: str = ""
    """The ID as received, or the label; empty for the account."""
    router: str = ""
    """The ID of the cloud router of a connection."""

    def values(self) -> Mapping[str, str]:
        """Return the parts of a path, quoted."""
        return {"id": quote(self.id, safe=""), "router": self.router}


def _has_device(port: Circuit) -> bool:
    """Return whether a port is one of a device: it is no LAG, and more than an order."""
    states = port.samples.get(f"packetfabric_{PORTS.name}_state", ())
    is_ordered = any(value and state in _ORDERED for (state,), value in states)
    return not is_ordered and not port.id.startswith(LAG_PREFIX)


def find_targets(
    scope: Scope,
    snapshot: Snapshot,
    *,
    billing_accounts: Iterable[str],
    cloud_connections: Iterable[str],
    labels: Iterable[str],
) -> Iterator[Target]:
    """Yield the targets of a scope whose IDs are safe in a path."""
    if scope is Scope.ACCOUNT:
        yield Target()
    elif scope is Scope.CLOUD_ROUTER_CONNECTION:
        for circuit in snapshot.of(CLOUD_ROUTER_CONNECTIONS).values():
            router = CLOUD_ROUTER_CONNECTIONS.label(circuit, "cloud_router_circuit_id")
            if SAFE_ID.fullmatch(circuit.id):
                yield Target(circuit.id, router if SAFE_ID.fullmatch(router) else "")
    elif scope is Scope.LABEL:
        # A quoted label is safe, unless the whole of it has a meaning in a path.
        yield from (Target(label) for label in labels if label.strip(".") and label.isprintable())
    else:
        found = {
            Scope.PORT: (port.id for port in snapshot.of(PORTS).values() if _has_device(port)),
            Scope.CLOUD_CONNECTION: cloud_connections,
            Scope.BILLING_ACCOUNT: billing_accounts,
        }[scope]
        yield from (Target(circuit) for circuit in found if SAFE_ID.fullmatch(circuit))
