"""Maintenances: the table of those that can be simulated, and the notifications about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

from pf_exporter.errors import ConfigError
from pf_exporter.simulator.network import Network
from pf_exporter.simulator.topology import Port
from pf_exporter.simulator.traffic import DAY

_HOUR = 3600.0


class Scenario(Enum):
    """One maintenance: its name, and what is notable about it."""

    RUNNING = "running", "One port and its circuits; from an hour ago until three hours from now."
    SOON = "soon", "One port and its circuits; for an hour, five minutes after the start."
    ANNOUNCED = "announced", "One port and its circuits; from midnight UTC until six o'clock."
    EXTENDED = "extended", "Would have ended an hour ago; a newer notification ends it in two hours."
    CANCELLED = "cancelled", "Would be running; a newer notification cancels it."
    CLOSED = "closed", "Would be running for another hour; a newer notification closes it."
    POPS_AND_CIRCUITS = "pops-and-circuits", "Lists a POP beside one port, and affects only the port."
    POP = "pop", "Lists a POP and no circuit; running."
    EXCLUDE = "exclude", "Lists a POP, and excludes one port there; running."
    SYSTEM_WIDE = "system-wide", "Affects the whole network; running."
    CONNECTION = "connection", "The first cloud router connection; running."

    def __init__(self, flag: str, description: str) -> None:
        self.flag = flag
        self.description = description


_BY_FLAG: Mapping[str, Scenario] = MappingProxyType({scenario.flag: scenario for scenario in Scenario})

MAINTENANCES: Mapping[str, str] = MappingProxyType(
    {scenario.flag: scenario.description for scenario in Scenario}
)
"""The description of each maintenance by its name, for help texts."""


@dataclass(frozen=True)
class Notice:
    """A notification about a maintenance; ``name`` is the same for all about one, times are UNIX seconds."""

    name: str
    created: float
    updated: float
    start: float
    end: float
    action: str = "open"
    kind: str = "routine"
    ports: tuple[str, ...] = ()
    circuits: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    pops: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    is_system_wide: bool = False


class Maintenances:
    """The maintenances of a network; can be changed from any thread while the simulator runs.

    >>> maintenances = Maintenances(Network(), ["cancelled:PF-AP-LAX1-2000001"], 1_790_000_000)
    >>> [(notice.action, notice.ports) for notice in maintenances]
    [('open', ('PF-AP-LAX1-2000001',)), ('cancel', ('PF-AP-LAX1-2000001',))]
    """

    def __init__(self, network: Network, specs: Iterable[str], started: float) -> None:
        self._network = network
        self._started = started // 60 * 60
        self._notices: dict[str, list[Notice]] = {}
        for spec in specs:
            self.add(spec)

    def add(self, spec: str) -> None:
        """Add a maintenance by ``NAME`` or ``NAME:PORT``; raises :class:`ConfigError` if it is not valid."""
        name, _, target = spec.partition(":")
        scenario = _BY_FLAG.get(name)
        if scenario is None:
            raise ConfigError([f"maintenance {spec!r}: unknown; use one of {', '.join(MAINTENANCES)}"])
        port = self._network.port(target) if target else self._default_port(scenario)
        if port is None and target:
            raise ConfigError([f"maintenance {spec!r}: no such port"])
        if port is None:  # The network is empty.
            return
        self._notices[spec] = _notices(scenario, spec, self._network, port, self._started)

    def discard(self, spec: str) -> None:
        """Remove a maintenance, and the notifications about it, if it was added with the same text."""
        self._notices.pop(spec, None)

    def __iter__(self) -> Iterator[Notice]:
        for notices in list(self._notices.values()):
            yield from notices

    def _default_port(self, scenario: Scenario) -> Port | None:
        """Return a port to which nothing else happens, if there is one; not the same for all scenarios."""
        ports = self._network.ports
        quiet = [port for port in ports if _is_quiet(port)] or ports
        return quiet[list(Scenario).index(scenario) % len(quiet)] if quiet else None


def _is_quiet(port: Port) -> bool:
    eventful = port.outage or port.has_degrading_optics or port.has_rx_errors or port.members or port.lag
    return port.is_enabled and not port.is_silent and not eventful


def _notices(scenario: Scenario, spec: str, network: Network, port: Port, now: float) -> list[Notice]:
    """The notifications about a maintenance of a port, its virtual circuits or its POP."""
    notice = Notice(spec, now - DAY, now - DAY, now - _HOUR, now + 3 * _HOUR)
    circuits = [
        circuit.circuit_id for circuit in network.circuits if port in (circuit.a.port, circuit.z.port)
    ]
    of_circuits = replace(notice, ports=(port.circuit_id,), circuits=tuple(circuits))
    of_pop = replace(notice, pops=(port.pop.name,))
    planned = replace(of_circuits, start=now - 5 * _HOUR, end=now - _HOUR)
    ending = replace(of_circuits, end=now + _HOUR)
    midnight = (now // DAY + 1) * DAY
    later = now - _HOUR / 2
    return {
        Scenario.RUNNING: [of_circuits],
        Scenario.SOON: [replace(of_circuits, kind="emergency", start=now + 300, end=now + 300 + _HOUR)],
        Scenario.ANNOUNCED: [
            replace(of_circuits, kind="upgrade", action="reminder", start=midnight, end=midnight + 6 * _HOUR)
        ],
        Scenario.EXTENDED: [replace(planned, action="update", end=now + 2 * _HOUR, updated=later), planned],
        Scenario.CANCELLED: [of_circuits, replace(of_circuits, action="cancel", updated=later)],
        Scenario.CLOSED: [replace(ending, action="close", updated=later), ending],
        Scenario.POPS_AND_CIRCUITS: [replace(of_circuits, pops=of_pop.pops)],
        Scenario.POP: [replace(of_pop, kind="outage")],
        Scenario.EXCLUDE: [replace(of_pop, exclude=(port.circuit_id,))],
        Scenario.SYSTEM_WIDE: [replace(notice, kind="emergency", is_system_wide=True)],
        Scenario.CONNECTION: [replace(notice, kind="cloud", connections=("PF-L3-CON-4000001",))],
    }[scenario]
