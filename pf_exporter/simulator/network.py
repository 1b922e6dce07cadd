"""The simulated network: every event of one customer, as a function of the seed and the time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pf_exporter.simulator.activity_log import generate_activity
from pf_exporter.simulator.events import Event, format_timestamp
from pf_exporter.simulator.measurements import errors_data, etherstats_data, metrics_data
from pf_exporter.simulator.optics import optical_data
from pf_exporter.simulator.orders import build_ordered_circuits, build_ordered_ports
from pf_exporter.simulator.topology import Circuit, End, Port, build_circuits, build_ports
from pf_exporter.simulator.traffic import Reading, total


class Network:
    """The ports and virtual circuits of one customer, and the events about them.

    ``seed`` decides layout and traffic; ``ports`` and ``vcs`` are the numbers of those that events are about.
    Both lists have ``ordered`` more. Times are UNIX seconds after the start of 2024.
    """

    def __init__(self, seed: int = 1, ports: int = 12, vcs: int = 16, ordered: int = 0) -> None:
        self.seed = seed
        streamed = build_ports(seed, ports)
        self.ports = streamed + build_ordered_ports(ordered)
        self.circuits = build_circuits(seed, streamed, vcs) + build_ordered_circuits(streamed, ordered)
        self._port_by_id = {port.circuit_id: port for port in self.ports}
        self._circuit_by_id = {circuit.circuit_id: circuit for circuit in self.circuits}
        self._ends_on: defaultdict[Port, list[tuple[Circuit, End]]] = defaultdict(list)
        for circuit in self.circuits:
            for end in (circuit.a, circuit.z):
                self._ends_on[end.carrier].append((circuit, end))

    def port(self, circuit_id: str) -> Port | None:
        """Return the port or LAG with this ID, None if there is none."""
        return self._port_by_id.get(circuit_id)

    def circuit(self, circuit_id: str) -> Circuit | None:
        """Return the virtual circuit with this ID, None if there is none."""
        return self._circuit_by_id.get(circuit_id)

    def read_end(self, circuit: Circuit, end: End, at: float) -> tuple[Reading, Reading]:
        """Return what one end of a circuit receives and transmits, as in ``vc|metrics``."""
        boot = end.port.booted_at(at)
        (az,), (za,) = circuit.az.read_since(at, boot), circuit.za.read_since(at, boot)
        return (az, za) if end is circuit.a else (za, az)

    def read_port(self, port: Port, at: float) -> tuple[Reading, Reading]:
        """Return what a port, or all members of a LAG, receives and transmits, as in ``port|metrics``."""
        readings = []
        for physical in port.members or [port]:
            readings += [self.read_end(circuit, end, at) for circuit, end in self._ends_on.get(physical, ())]
            readings += _control_readings(physical, at)
        return total(rx for rx, _ in readings), total(tx for _, tx in readings)

    def activity(self, at: float, since: float) -> Iterator[Event]:
        """Yield the activity log after ``since`` up to and including ``at``: events ``customer|…``."""
        ports = [port.circuit_id for port in self.ports]
        circuits = [circuit.circuit_id for circuit in self.circuits]
        return generate_activity(self.seed, ports, circuits, at, since)

    def measurements(self, at: float) -> Iterator[Event]:
        """Yield one sample of all ports and circuits; nothing of a router that is rebooting."""
        timestamp = format_timestamp(at)
        ends = list(self._end_readings(at))
        rx, tx = self._port_readings(at, ends)
        tagged: defaultdict[Port, int] = defaultdict(int)
        for _, end, end_rx, _ in ends:
            tagged[end.carrier] += end_rx.packets
        for port in self.ports:
            if not port.reachable(at):
                continue
            physical = port.members or [port]
            head = {"timestamp": timestamp, "port_circuit_id": port.circuit_id}
            port_rx, port_tx = (
                total(rx[member] for member in physical),
                total(tx[member] for member in physical),
            )
            yield "port|metrics", head | metrics_data(port_rx, port_tx)
            yield "port|errors", head | errors_data(physical, tx, at)
            if not port.members:
                yield "port|etherstats", head | etherstats_data(port, port_rx, port_tx, tagged[port], at)
                yield "port|optical", head | optical_data(port, at)
        for circuit, end, end_rx, end_tx in ends:
            if end.port.reachable(at) and not circuit.is_silent:
                head = {
                    "timestamp": timestamp,
                    "vc_circuit_id": circuit.circuit_id,
                    "vlan": str(end.vlan),
                    "port_circuit_id": end.port.circuit_id,
                }
                yield "vc|metrics", head | metrics_data(end_rx, end_tx)

    def _end_readings(self, at: float) -> Iterator[tuple[Circuit, End, Reading, Reading]]:
        """Yield both ends of each circuit with what they receive and transmit."""
        for circuit in self.circuits:
            a, z = circuit.a, circuit.z
            boots = a.port.booted_at(at), z.port.booted_at(at)
            az_at_a, az_at_z = circuit.az.read_since(at, *boots)
            za_at_a, za_at_z = circuit.za.read_since(at, *boots)
            # What A receives from the customer is what Z transmits to it, and the reverse.
            yield circuit, a, az_at_a, za_at_a
            yield circuit, z, za_at_z, az_at_z

    def _port_readings(
        self, at: float, ends: list[tuple[Circuit, End, Reading, Reading]]
    ) -> tuple[dict[Port, Reading], dict[Port, Reading]]:
        """Return what each physical port receives and transmits: its circuits and its control traffic."""
        rx: defaultdict[Port, list[Reading]] = defaultdict(list)
        tx: defaultdict[Port, list[Reading]] = defaultdict(list)
        for _, end, end_rx, end_tx in ends:
            rx[end.carrier].append(end_rx)
            tx[end.carrier].append(end_tx)
        for port in self.ports:
            for received, transmitted in _control_readings(port, at):
                rx[port].append(received)
                tx[port].append(transmitted)
        return (
            {port: total(readings) for port, readings in rx.items()},
            {port: total(readings) for port, readings in tx.items()},
        )


def _control_readings(port: Port, at: float) -> Iterator[tuple[Reading, Reading]]:
    """Yield what a port receives and transmits for routing and link protocols, if it carries them."""
    if port.control_traffic:
        boot = port.booted_at(at)
        received, transmitted = (traffic.read_since(at, boot)[0] for traffic in port.control_traffic)
        yield received, transmitted
