"""The network and what its routers report: a function of the seed and the time, for any instant."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timezone

from pf_exporter.simulator import activity_log
from pf_exporter.simulator.topology import Port, build_circuits, build_ports
from pf_exporter.simulator.traffic import DAY, START, Reading, total

Event = tuple[str, dict[str, object]]
"""The name, such as ``port|metrics``, and the object that goes with it."""

_RX_ERRORS = (
    "discard",
    "drop",
    "fifo",
    "framing",
    "l2_channel",
    "l2_mismatch_timeout",
    "l3_incomplete",
    "resource",
    "runt",
    "unspecified",
)
_TX_ERRORS = ("aged", "carrier", "collision", "drop", "fifo", "link_crc", "mtu", "resource", "unspecified")
_LANE_FIELDS = ("bias_current", "index", "output_power", "rx_dbm", "rx_power", "tx_dbm", "tx_power")

_DIM_PERIOD, _DIM_DB = 3 * DAY, 12.0  # after which somebody cleans the connector
_BURST_PERIOD, _BURST, _BURST_FRAMES = 1800.0, 90.0, 700
_DARK_DBM = -40.0


def stamp(at: float) -> str:
    """ISO 8601 in UTC, ``2021-09-22T20:34:30+00:00``; milliseconds only where there are any."""
    moment = datetime.fromtimestamp(round(at, 3), timezone.utc)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


class Network:
    """Everything of one customer's that PacketFabric would report on.

    ``seed`` decides layout and traffic; ``ports`` and ``vcs`` are the numbers of rows in the two lists.
    Instants are UNIX seconds since 2024.
    """

    def __init__(self, seed: int = 1, ports: int = 12, vcs: int = 16) -> None:
        self.seed = seed
        self.ports = build_ports(seed, ports)
        self.circuits = build_circuits(seed, self.ports, vcs)

    def events(self, at: float, since: float, interval: float = 5.0) -> Iterator[Event]:
        """All that happened after ``since`` up to and with ``at``, sampled at multiples of ``interval``."""
        before = since
        for sample in range(math.floor(since / interval) + 1, math.floor(at / interval) + 1):
            yield from self.activity(sample * interval, before)
            yield from self.measurements(sample * interval)
            before = sample * interval
        yield from self.activity(at, before)

    def activity(self, at: float, since: float) -> Iterator[Event]:
        """What people did after ``since`` up to and with ``at``: events ``customer|…``."""
        ports = [port.circuit_id for port in self.ports]
        circuits = [circuit.circuit_id for circuit in self.circuits]
        return activity_log.activity(self.seed, ports, circuits, at, since)

    def measurements(self, at: float) -> Iterator[Event]:
        """One reading of everything at ``at``; a router that is rebooting says nothing."""
        when = stamp(at)
        # Per physical port: what came in, what went out, over its circuits.
        carried: defaultdict[Port, tuple[list[Reading], list[Reading]]] = defaultdict(lambda: ([], []))
        circuits = list(self._circuits(at, when, carried))
        into: dict[Port, Reading] = {}
        out: dict[Port, Reading] = {}
        for port in self.ports:
            if port.control:
                boots = port.boot(at), port.boot(at)
                rx, tx = (flow.read_since(at, boots)[0] for flow in port.control)
                into[port] = total([*carried[port][0], rx])
                out[port] = total([*carried[port][1], tx])
        for port in self.ports:
            if not port.reachable(at):
                continue
            physical = port.members or [port]
            head = {"timestamp": when, "port_circuit_id": port.circuit_id}
            rx, tx = total(into[one] for one in physical), total(out[one] for one in physical)
            yield "port|metrics", head | _metrics(rx, tx)
            yield "port|errors", head | _errors(physical, out, at)
            if not port.members:
                tagged = sum(reading.packets for reading in carried[port][0])
                yield "port|etherstats", head | _etherstats(port, rx, tx, tagged, at)
                yield "port|optical", head | _optical(port, at)
        yield from circuits

    def _circuits(
        self, at: float, when: str, carried: dict[Port, tuple[list[Reading], list[Reading]]]
    ) -> Iterator[Event]:
        for circuit in self.circuits:
            a, z = circuit.a, circuit.z
            boots = a.port.boot(at), z.port.boot(at)
            az = circuit.az.read_since(at, boots)
            za = circuit.za.read_since(at, boots)
            # What A sends in comes out at Z, and the other way round.
            for end, rx, tx in ((a, az[0], za[0]), (z, za[1], az[1])):
                carried[end.carrier][0].append(rx)
                carried[end.carrier][1].append(tx)
                if end.port.reachable(at):
                    yield (
                        "vc|metrics",
                        {
                            "timestamp": when,
                            "vc_circuit_id": circuit.circuit_id,
                            "vlan": str(end.vlan),
                            "port_circuit_id": end.port.circuit_id,
                        }
                        | _metrics(rx, tx),
                    )


def _metrics(rx: Reading, tx: Reading) -> dict[str, object]:
    return {
        "bytes_rx_bps": rx.bps,
        "bytes_rx_total": rx.bytes,
        "bytes_tx_bps": tx.bps,
        "bytes_tx_total": tx.bytes,
        "packets_rx_pps": rx.pps,
        "packets_rx_total": rx.packets,
        "packets_tx_pps": tx.pps,
        "packets_tx_total": tx.packets,
    }


def _damaged(port: Port, at: float) -> int:
    """Frames that arrived damaged since the router booted: a burst of them every half hour."""
    if not port.is_dirty:
        return 0

    def so_far(moment: float) -> int:
        bursts, into = divmod(moment - START, _BURST_PERIOD)
        return int((bursts + min(into / _BURST, 1)) * _BURST_FRAMES)

    return so_far(at) - so_far(port.boot(at))


def _dropped(tx: Reading) -> int:
    """Packets that found a queue full: one in ten million."""
    return tx.packets // 10_000_000


def _errors(physical: list[Port], out: dict[Port, Reading], at: float) -> dict[str, object]:
    damaged = sum(_damaged(port, at) for port in physical)
    counts: dict[str, object] = {f"rx_{name}": 0 for name in _RX_ERRORS}
    counts |= {f"tx_{name}": 0 for name in _TX_ERRORS}
    counts["rx_framing"] = counts["rx_unspecified"] = damaged
    counts["tx_drop"] = sum(_dropped(out[port]) for port in physical)
    # A link that has come up once has made one transition.
    counts["tx_carrier"] = sum(
        1 + (port.flaps.recoveries(at) - port.flaps.recoveries(port.boot(at)) if port.flaps else 0)
        for port in physical
    )
    return counts


def _etherstats(port: Port, rx: Reading, tx: Reading, tagged: int, at: float) -> dict[str, object]:
    counts: dict[str, object] = {}
    for way, reading in (("rx", rx), ("tx", tx)):
        # Some of what goes to everybody: link and neighbour protocols. Divided so that no part ever falls.
        others = reading.packets // 500
        broadcasts = others // 10
        counts |= {
            f"{way}_broadcasts": broadcasts,
            # The MAC also counts the 18 bytes of header and checksum.
            f"{way}_bytes": reading.bytes + 18 * reading.packets,
            f"{way}_crc_errors": _damaged(port, at) if way == "rx" else 0,
            f"{way}_fifo_errors": 0,
            f"{way}_mac_control_frames": 0,
            f"{way}_mac_pause_frames": 0,
            f"{way}_multicasts": others - broadcasts,
            f"{way}_packets": reading.packets,
            f"{way}_unicast": reading.packets - others,
        }
    silent = ("code_violations", "fragment_frames", "jabber_frames", "oversized_frames")
    return counts | {f"rx_{name}": 0 for name in silent} | {"rx_vlan_tagged_frames": tagged}


def _optical(port: Port, at: float) -> dict[str, object]:
    lanes: dict[str, object] = {}
    for lane in range(4):
        # Lanes that the optics do not have read zero throughout, dBm and mW alike.
        values = (0.0,) * len(_LANE_FIELDS) if lane >= port.lanes else _lane(port, lane, at)
        lanes |= {f"lane_{lane}_{name}": value for name, value in zip(_LANE_FIELDS, values, strict=True)}
    return lanes


def _lane(port: Port, lane: int, at: float) -> tuple[float, ...]:
    # Warmth comes and goes with the day, and lasers with it.
    warmth = math.sin(math.tau * (at / DAY + port.optics_seed))
    unlike = math.sin(1 + lane * 2.3 + port.optics_seed * 40)
    tx_dbm = round(-1.2 + 0.4 * unlike + 0.05 * warmth, 2)
    rx_dbm = round(-6.5 + 0.9 * unlike + 0.08 * warmth, 2)
    if port.grows_dim:
        rx_dbm = round(rx_dbm - _DIM_DB * ((at - START) % _DIM_PERIOD) / _DIM_PERIOD, 2)
    if not port.up(at):
        rx_dbm = _DARK_DBM
    tx_mw = milliwatts(tx_dbm)
    bias = round(36 + 3 * unlike + 0.7 * warmth, 3)
    return bias, float(lane), tx_mw, rx_dbm, milliwatts(rx_dbm), tx_dbm, tx_mw


def milliwatts(dbm: float) -> float:
    """The same optical power in mW, as finely as routers print it.

    >>> milliwatts(-1.05)
    0.7852
    """
    return round(10 ** (dbm / 10), 4)
