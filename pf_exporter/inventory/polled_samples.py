"""The samples of the polled resources: what was read, joined with the circuits of the lists."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from pf_exporter.inventory.maintenance_effects import effects
from pf_exporter.inventory.snapshot import Snapshot
from pf_exporter.log import Logger
from pf_exporter.schema import (
    BGP_ENABLED,
    CLOUD_ROUTER_CONNECTIONS,
    MAINTENANCE_CONNECTION,
    MAINTENANCE_END,
    MAINTENANCE_INFO,
    MAINTENANCE_PORT,
    MAINTENANCE_START,
    MAINTENANCE_VC,
    POP_INFO,
    PORTS,
    Maintenance,
    Reading,
    Sample,
)

log = Logger(__name__)

SHOWN_AFTER_END = 86_400.0
"""Seconds for which a maintenance is shown after its end if no notification has closed it."""
_BGP_STATE = f"packetfabric_{CLOUD_ROUTER_CONNECTIONS.name}_bgp_state"


def is_shown(maintenance: Maintenance, now: float) -> bool:
    """Return whether a maintenance is to come, in progress, or ended recently; ``now`` is UNIX seconds."""
    if maintenance.is_over:
        return False
    return maintenance.end is None or maintenance.end > now - SHOWN_AFTER_END


def polled_samples(readings: Iterable[Reading], snapshot: Snapshot, now: float) -> Iterator[Sample]:
    """Yield the samples of all readings; of POPs and BGP sessions only those of the account's circuits."""
    pops = _pops_in_use(snapshot)
    sessions = _bgp_sessions(snapshot)
    for reading in readings:
        for sample in reading.samples:
            if sample.family == BGP_ENABLED.name:
                (uuid,) = sample.labels
                for connection in sessions.get(uuid, ()):
                    yield Sample(BGP_ENABLED.name, (connection, uuid), sample.value)
            elif sample.family != POP_INFO.name or sample.labels[0] in pops:
                yield sample
        for maintenance in reading.maintenances:
            if is_shown(maintenance, now):
                yield from _maintenance_samples(maintenance, snapshot)


def limited(samples: Iterator[Sample], limit: int, account: str) -> Iterator[Sample]:
    """Yield at most ``limit`` samples, and log it if there are more."""
    yield from itertools.islice(samples, limit)
    if next(samples, None) is not None:
        log.warning_throttled(
            f"too many samples {account}",
            "limit of series reached by polled resources",
            every=3600.0,
            account=account,
            limit=limit,
        )


def _maintenance_samples(maintenance: Maintenance, snapshot: Snapshot) -> Iterator[Sample]:
    uuid = maintenance.uuid
    system_wide = str(maintenance.system_wide).lower()
    info = (uuid, maintenance.type, maintenance.action, maintenance.ticket, system_wide)
    yield Sample(MAINTENANCE_INFO.name, info, 1.0)
    for family, at in ((MAINTENANCE_START, maintenance.start), (MAINTENANCE_END, maintenance.end)):
        if at is not None:
            yield Sample(family.name, (uuid,), at)
    affected = effects(maintenance, snapshot)
    for family, ids in (
        (MAINTENANCE_PORT, affected.ports),
        (MAINTENANCE_VC, affected.vcs),
        (MAINTENANCE_CONNECTION, affected.cloud_router_connections),
    ):
        for circuit in ids:
            yield Sample(family.name, (uuid, circuit), 1.0)


def _pops_in_use(snapshot: Snapshot) -> frozenset[str]:
    return frozenset(
        resource.label(circuit, "pop")
        for resource in (PORTS, CLOUD_ROUTER_CONNECTIONS)
        for circuit in snapshot.of(resource).values()
    )


def _bgp_sessions(snapshot: Snapshot) -> dict[str, dict[str, None]]:
    """Return the connections of each BGP session, by the UUID of its settings."""
    sessions: dict[str, dict[str, None]] = {}
    for circuit in snapshot.of(CLOUD_ROUTER_CONNECTIONS).values():
        for (uuid, _), _ in circuit.samples.get(_BGP_STATE, ()):
            sessions.setdefault(uuid, {})[circuit.id] = None
    return sessions
