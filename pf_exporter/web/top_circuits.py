"""The circuits with the most traffic, with the speed and the optical power of their ports."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pf_exporter.inventory import Snapshot
from pf_exporter.schema import EVENTS, PORTS, canonical_id
from pf_exporter.state import Row, Store

SPEED = "packetfabric_port_speed_bytes_per_second"


class CircuitTraffic(NamedTuple):
    """A circuit's traffic in bits per second; None where it is not known."""

    account: str
    circuit: str
    """The circuit ID; of a virtual circuit with that of its port and the VLAN."""
    receive: float | None
    transmit: float | None
    speed: float | None
    """The port's speed."""
    receive_power: float | None
    """dBm, of the lane with the lowest power."""
    transmit_power: float | None
    age: float
    """Seconds since the last sample."""

    @property
    def busiest(self) -> float:
        """Traffic of the direction that has more."""
        return max(self.receive or 0.0, self.transmit or 0.0)


def busiest(
    store: Store, snapshots: Mapping[str, Snapshot], event: str, limit: int
) -> tuple[list[CircuitTraffic], int]:
    """The ``limit`` busiest circuits of ``port|metrics`` or ``vc|metrics``, and the number of all.

    ``snapshots`` has the inventory by account.
    """
    type_ = EVENTS[event]
    rows = [
        (account, circuit, row)
        for account, circuits in store.rows(event).items()
        for circuit, row in circuits
        if row.values
    ]
    receive, transmit = (list(type_.fields).index(name) for name in ("bytes_rx_bps", "bytes_tx_bps"))
    port = type_.circuit.index("port_circuit_id")

    def traffic(item: tuple[str, tuple[str, ...], Row]) -> float:
        values = item[2].values
        return max(values[receive] or 0.0, values[transmit] or 0.0)

    top = heapq.nlargest(limit, rows, key=traffic)
    powers = dict(_optical_powers(store)) if event.startswith("port|") and top else {}
    now = time.monotonic()
    return [
        CircuitTraffic(
            account,
            " ".join(filter(None, circuit)),
            row.values[receive],
            row.values[transmit],
            _port_speed(snapshots.get(account), circuit[port]),
            *powers.get((account, circuit[0]), (None, None)),
            now - row.received_monotonic,
        )
        for account, circuit, row in top
    ], len(rows)


def _port_speed(snapshot: Snapshot | None, port: str) -> float | None:
    """Bits per second, from the inventory."""
    if snapshot is None:
        return None
    circuit = snapshot.of(PORTS).get(canonical_id(port))
    samples = circuit.samples.get(SPEED) if circuit is not None else None
    return samples[0][1] * 8 if samples else None


def _optical_powers(store: Store) -> Iterator[tuple[tuple[str, str], tuple[float | None, float | None]]]:
    """The lowest received and transmitted power of all lanes, by account and port."""
    fields = list(EVENTS["port|optical"].fields)
    first_lane = [fields.index(name) for name in ("lane_N_rx_dbm", "lane_N_tx_dbm")]
    for account, circuits in store.rows("port|optical").items():
        for circuit, row in circuits:
            receive, transmit = (
                # A row has the fields of one lane after those of another.
                min((power for power in row.values[column :: len(fields)] if power is not None), default=None)
                for column in first_lane
            )
            yield (account, circuit[0]), (receive, transmit)
