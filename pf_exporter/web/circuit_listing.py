"""Reads the ports and virtual circuits of all accounts from the store and the inventory."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from pf_exporter.config import Account
from pf_exporter.inventory import Snapshot
from pf_exporter.schema import EVENTS, PORTS, VIRTUAL_CIRCUITS, Circuit, Resource, canonical_id
from pf_exporter.state import Row, Store
from pf_exporter.web.circuits import (
    NO_TRAFFIC,
    CircuitState,
    End,
    Port,
    Traffic,
    VirtualCircuit,
    order,
)

_EMPTY = Snapshot()
_RATES = ("bytes_rx_bps", "bytes_tx_bps")


class Listing(NamedTuple):
    """Every port and virtual circuit, in the order of the page, and how many there are in each state."""

    ports: Sequence[Port]
    vcs: Sequence[VirtualCircuit]
    port_states: Mapping[CircuitState, int]
    vc_states: Mapping[CircuitState, int]


def list_circuits(store: Store, snapshots: Mapping[str, Snapshot], accounts: Sequence[Account]) -> Listing:
    """All circuits as of now; ``snapshots`` has the inventory by account."""
    now = time.monotonic()
    port_rows, vc_rows = store.rows("port|metrics"), store.rows("vc|metrics")
    ports: list[Port] = []
    vcs: list[VirtualCircuit] = []
    for account in accounts:
        snapshot = snapshots.get(account.name, _EMPTY)
        ports += _ports(account, snapshot, port_rows.get(account.name, []), now)
        vcs += _virtual_circuits(account, snapshot, vc_rows.get(account.name, []), now)
    states = [Counter(circuit.state for circuit in circuits) for circuits in (ports, vcs)]
    return Listing(order(ports), order(vcs), *states)


def _traffic(row: Row, columns: tuple[int, ...], now: float) -> Traffic:
    age = now - row.received_monotonic
    if not row.values:
        return Traffic(age=age)
    receive, transmit = columns
    return Traffic(row.values[receive], row.values[transmit], age, is_live=True)


def _sample(resource: Resource, circuit: Circuit, suffix: str) -> float | None:
    samples = circuit.samples.get(f"packetfabric_{resource.name}_{suffix}")
    return samples[0][1] if samples else None


def _bits(bytes_per_second: float | None) -> float | None:
    return None if bytes_per_second is None else bytes_per_second * 8


def _subscribes(account: Account, type_: str, *ids: str) -> bool:
    """Whether the account's streams include the metrics of a port, or of a virtual circuit's end on a port.

    ``ids`` are the canonical IDs of the port, or of the virtual circuit and the port.
    """
    return any(
        stream.type == type_
        and (not stream.events or "metrics" in stream.events)
        and (
            not stream.selectors
            or any({*map(canonical_id, selector.split("&"))} >= {*ids} for selector in stream.selectors)
        )
        for stream in account.streams
    )


def _ports(
    account: Account, snapshot: Snapshot, rows: Sequence[tuple[tuple[str, ...], Row]], now: float
) -> list[Port]:
    columns = EVENTS["port|metrics"].columns(*_RATES)
    seen = {canonical_id(circuit[0]): (circuit[0], row) for circuit, row in rows}
    ports = []
    for key, circuit in snapshot.of(PORTS).items():
        id_, row = seen.pop(key, (circuit.id, None))
        traffic = NO_TRAFFIC if row is None else _traffic(row, columns, now)
        label = {name: PORTS.label(circuit, name) for name in ("description", "site", "pop", "lag", "market")}
        ports.append(
            Port(
                account.name,
                id_,
                label["description"],
                _port_state(account, circuit, key, traffic),
                _bits(_sample(PORTS, circuit, "speed_bytes_per_second")),
                label["site"],
                label["pop"],
                label["lag"],
                traffic,
                label["market"],
            )
        )
    for id_, row in seen.values():
        traffic = _traffic(row, columns, now)
        state = CircuitState.UNKNOWN if traffic.is_live else CircuitState.NO_DATA
        ports.append(Port(account.name, id_, "", state, None, "", "", "", traffic))
    return ports


def _port_state(account: Account, circuit: Circuit, key: str, traffic: Traffic) -> CircuitState:
    if _sample(PORTS, circuit, "admin_up") == 0:
        return CircuitState.ADMIN_DOWN
    up = _sample(PORTS, circuit, "operational_up")
    if up == 0:
        return CircuitState.DOWN
    if not traffic.is_live:
        return CircuitState.NO_DATA if _subscribes(account, "port", key) else CircuitState.NOT_SUBSCRIBED
    return CircuitState.UNKNOWN if up is None else CircuitState.UP


def _virtual_circuits(
    account: Account, snapshot: Snapshot, rows: Sequence[tuple[tuple[str, ...], Row]], now: float
) -> list[VirtualCircuit]:
    event = EVENTS["vc|metrics"]
    columns = event.columns(*_RATES)
    vc, port, vlan = (event.circuit.index(name) for name in ("vc_circuit_id", "port_circuit_id", "vlan"))
    seen: defaultdict[str, list[End]] = defaultdict(list)
    ids = {}
    ports = snapshot.of(PORTS)
    for circuit, row in rows:
        key = canonical_id(circuit[vc])
        ids[key] = circuit[vc]
        seen[key].append(_end("", circuit[port], circuit[vlan], ports, _traffic(row, columns, now)))
    vcs = []
    for key, found in snapshot.of(VIRTUAL_CIRCUITS).items():
        ends = _both_ends(found, seen.pop(key, []), ports)
        vcs.append(
            VirtualCircuit(
                account.name,
                ids.get(key, found.id),
                VIRTUAL_CIRCUITS.label(found, "description"),
                _vc_state(account, found, key, ends),
                _bits(_sample(VIRTUAL_CIRCUITS, found, "receive_limit_bytes_per_second")),
                ends,
            )
        )
    for key, rest in seen.items():
        is_live = any(end.traffic.is_live for end in rest)
        state = CircuitState.UNKNOWN if is_live else CircuitState.NO_DATA
        vcs.append(VirtualCircuit(account.name, ids[key], "", state, None, rest))
    return vcs


def _end(side: str, port: str, vlan: str, ports: Mapping[str, Circuit], traffic: Traffic) -> End:
    found = ports.get(canonical_id(port))
    if found is None:
        return End(side, port, "", "", "", vlan, traffic)
    name, site, pop = (PORTS.label(found, label) for label in ("description", "site", "pop"))
    return End(side, port, name, site, pop, vlan, traffic)


def _both_ends(circuit: Circuit, seen: list[End], ports: Mapping[str, Circuit]) -> list[End]:
    """The ends A and Z of the inventory, each with what the stream sent of it, then ends it does not know."""
    ends = []
    for side, label in (("A", "port_a"), ("Z", "port_z")):
        port = VIRTUAL_CIRCUITS.label(circuit, label)
        if not port:
            continue
        # Both ends may be on one port; then the first event counts as end A.
        here = [end for end in seen if canonical_id(end.port) == canonical_id(port)][:1]
        for end in here:
            seen.remove(end)
            ends.append(replace(end, side=side))
        if not here:
            ends.append(_end(side, port, "", ports, NO_TRAFFIC))
    return [*ends, *seen]


def _vc_state(account: Account, circuit: Circuit, key: str, ends: Sequence[End]) -> CircuitState:
    connected = _sample(VIRTUAL_CIRCUITS, circuit, "connected")
    if connected == 0:
        return CircuitState.DOWN
    live = [end for end in ends if end.traffic.is_live]
    silent = [end for end in ends if not end.traffic.is_live]
    missing = [end for end in silent if _subscribes(account, "vc", key, canonical_id(end.port))]
    if not live:
        is_expected = bool(missing) or (not ends and _subscribes(account, "vc", key))
        return CircuitState.NO_DATA if is_expected else CircuitState.NOT_SUBSCRIBED
    if missing:
        return CircuitState.PARTIAL
    return CircuitState.UNKNOWN if connected is None else CircuitState.UP
