"""The circuits with the most traffic, beside what is known of their ports."""

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
    """What one circuit carries; bits per second, None where it is not known."""

    account: str
    circuit: str
    """The ids of the circuit and, of a virtual circuit, of its port, and its VLAN."""
    receive: float | None
    transmit: float | None
    speed: float | None
    """Of the port."""
    receive_power: float | None
    """dBm, of the lane with the least."""
    transmit_power: float | None
    age: float
    """Seconds since the sample came."""

    @property
    def busiest(self) -> float:
        """Bits per second in the direction that has more."""
        return max(self.receive or 0.0, self.transmit or 0.0)


def busiest(
    store: Store, snapshots: Mapping[str, Snapshot], event: str, most: int
) -> tuple[list[CircuitTraffic], int]:
    """The ``most`` circuits with the most traffic by ``port|metrics`` or ``vc|metrics``, and the count.

    ``snapshots`` are the inventories by account.
    """
    rows = [
        (account, circuit, row)
        for account, circuits in store.rows(event).items()
        for circuit, row in circuits
        if row.values
    ]
    columns = [list(EVENTS[event].fields).index(name) for name in ("bytes_rx_bps", "bytes_tx_bps")]

    def load(one: tuple[str, tuple[str, ...], Row]) -> float:
        return max(one[2].values[column] or 0.0 for column in columns)

    found = heapq.nlargest(most, rows, key=load)
    powers = dict(_powers(store)) if event.startswith("port|") and found else {}
    now = time.monotonic()
    return [
        CircuitTraffic(
            account,
            " ".join(filter(None, circuit)),
            row.values[columns[0]],
            row.values[columns[1]],
            _speed(snapshots.get(account), circuit[EVENTS[event].circuit.index("port_circuit_id")]),
            *powers.get((account, circuit[0]), (None, None)),
            now - row.received_monotonic,
        )
        for account, circuit, row in found
    ], len(rows)


def _speed(snapshot: Snapshot | None, port: str) -> float | None:
    known = snapshot.of(PORTS).get(canonical_id(port)) if snapshot is not None else None
    samples = known.samples.get(SPEED) if known is not None else None
    return samples[0][1] * 8 if samples else None


def _powers(store: Store) -> Iterator[tuple[tuple[str, str], tuple[float | None, float | None]]]:
    """By account and port the least power received and sent."""
    fields = list(EVENTS["port|optical"].fields)
    columns = [fields.index(name) for name in ("lane_N_rx_dbm", "lane_N_tx_dbm")]
    for account, circuits in store.rows("port|optical").items():
        for circuit, row in circuits:
            least = [
                min((one for one in row.values[column :: len(fields)] if one is not None), default=None)
                for column in columns
            ]
            yield (account, circuit[0]), (least[0], least[1])
