"""Maintenances: the table of those that can be simulated, and the notifications about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
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
        self._notices: dict[str, tuple[Notice, ...]] = {}
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
        started = self._started
        notice = Notice(spec, started - DAY, started - DAY, started - _HOUR, started + 3 * _HOUR)
        self._notices[spec] = tuple(_NOTICES[scenario](notice, _Target(self._network, port, self._started)))

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


@dataclass(frozen=True, eq=False)
class _Target:
    network: Network
    port: Port
    started: float

    def circuits(self, notice: Notice) -> Notice:
        """Return the notification with the port and its virtual circuits."""
        circuits = [
            circuit.circuit_id
            for circuit in self.network.circuits
            if self.port in (circuit.a.port, circuit.z.port)
        ]
        return replace(notice, ports=(self.port.circuit_id,), circuits=tuple(circuits))


def _running(notice: Notice, target: _Target) -> list[Notice]:
    return [target.circuits(notice)]


def _soon(notice: Notice, target: _Target) -> list[Notice]:
    start = target.started + 300
    return [target.circuits(replace(notice, kind="emergency", start=start, end=start + _HOUR))]


def _announced(notice: Notice, target: _Target) -> list[Notice]:
    midnight = (target.started // DAY + 1) * DAY
    notice = replace(notice, kind="upgrade", start=midnight, end=midnight + 6 * _HOUR)
    return [target.circuits(replace(notice, action="reminder"))]


def _followed(notice: Notice, target: _Target, action: str, end: float | None = None) -> list[Notice]:
    """Return a notification and a newer one about an action and a new end, the newer one first."""
    notice = target.circuits(notice)
    end = notice.end if end is None else end
    return [replace(notice, action=action, end=end, updated=target.started - _HOUR / 2), notice]


def _extended(notice: Notice, target: _Target) -> list[Notice]:
    notice = replace(notice, start=notice.start - 4 * _HOUR, end=notice.start)
    return _followed(notice, target, "update", target.started + 2 * _HOUR)


def _cancelled(notice: Notice, target: _Target) -> list[Notice]:
    return _followed(notice, target, "cancel")[::-1]


def _closed(notice: Notice, target: _Target) -> list[Notice]:
    return _followed(replace(notice, end=target.started + _HOUR), target, "close")


def _pops_and_circuits(notice: Notice, target: _Target) -> list[Notice]:
    return [target.circuits(replace(notice, pops=(target.port.pop.name,)))]


def _pop(notice: Notice, target: _Target) -> list[Notice]:
    return [replace(notice, kind="outage", pops=(target.port.pop.name,))]


def _exclude(notice: Notice, target: _Target) -> list[Notice]:
    return [replace(notice, pops=(target.port.pop.name,), exclude=(target.port.circuit_id,))]


def _system_wide(notice: Notice, target: _Target) -> list[Notice]:
    return [replace(notice, kind="emergency", is_system_wide=True)]


def _connection(notice: Notice, target: _Target) -> list[Notice]:
    return [replace(notice, kind="cloud", connections=("PF-L3-CON-4000001",))]


_NOTICES: Mapping[Scenario, Callable[[Notice, _Target], list[Notice]]] = MappingProxyType(
    {
        Scenario.RUNNING: _running,
        Scenario.SOON: _soon,
        Scenario.ANNOUNCED: _announced,
        Scenario.EXTENDED: _extended,
        Scenario.CANCELLED: _cancelled,
        Scenario.CLOSED: _closed,
        Scenario.POPS_AND_CIRCUITS: _pops_and_circuits,
        Scenario.POP: _pop,
        Scenario.EXCLUDE: _exclude,
        Scenario.SYSTEM_WIDE: _system_wide,
        Scenario.CONNECTION: _connection,
    }
)
