"""Ports and virtual circuits, from the inventory and the stream together."""

from __future__ import annotations

import enum
import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pf_exporter.utilization import Utilization, utilization


class CircuitState(enum.Enum):
    """What is known about a circuit now."""

    DOWN = "Down"
    NO_DATA = "No data"
    """It is in the inventory, but the stream has sent no recent event."""
    PARTIAL = "One end only"
    """A virtual circuit of which only some ends send events."""
    UP = "Up"
    UNKNOWN = "Receiving"
    """It sends events, but its state is not known."""
    NOT_SUBSCRIBED = "Not subscribed"
    """It sends no events, because the account's streams do not include it."""
    ADMIN_DOWN = "Admin down"


_RANKS = {
    CircuitState.DOWN: 0,
    CircuitState.NO_DATA: 1,
    CircuitState.PARTIAL: 2,
    CircuitState.UP: 3,
    CircuitState.UNKNOWN: 3,
    CircuitState.NOT_SUBSCRIBED: 4,
    CircuitState.ADMIN_DOWN: 5,
}


@dataclass(frozen=True)
class Traffic:
    """Traffic in bits per second, None where it is not known, and the age of the last event in seconds."""

    receive: float | None = None
    transmit: float | None = None
    age: float | None = None
    is_live: bool = False
    """Whether the last event is recent enough for its values to count."""

    def directions(self, speed: float | None) -> list[tuple[float | None, float | None]]:
        """The rate and the speed of each direction."""
        return [(self.receive, speed), (self.transmit, speed)]


NO_TRAFFIC = Traffic()


@dataclass(frozen=True)
class Port:
    """A port of an account; text is empty where it is not known."""

    account: str
    id: str
    name: str
    state: CircuitState
    speed: float | None
    """Bits per second."""
    site: str
    pop: str
    lag: str
    """The ID of the LAG that it is a member of."""
    traffic: Traffic
    extra: str = ""
    """More text that a search finds."""

    @property
    def utilization(self) -> Utilization:
        """That of the busier direction."""
        return utilization(self.traffic.directions(self.speed)) or Utilization()

    @functools.cached_property
    def search_text(self) -> str:
        """Everything that a search looks at, in lower case."""
        fields = (
            self.name,
            self.id,
            self.state.value,
            self.site,
            self.pop,
            self.lag,
            self.account,
            self.extra,
        )
        return "\n".join(fields).lower()

    @property
    def vlans(self) -> Collection[str]:
        """Its VLANs: none, those are of virtual circuits."""
        return ()


@dataclass(frozen=True)
class End:
    """One end of a virtual circuit."""

    side: str
    """``A`` or ``Z``; empty if the inventory does not know this end."""
    port: str
    port_name: str
    site: str
    pop: str
    vlan: str
    """Empty where no event named it."""
    traffic: Traffic


@dataclass(frozen=True)
class VirtualCircuit:
    """A virtual circuit with its ends."""

    account: str
    id: str
    name: str
    state: CircuitState
    speed: float | None
    """Bits per second."""
    ends: Sequence[End]

    @property
    def utilization(self) -> Utilization:
        """That of the busiest direction of all ends."""
        directions = [pair for end in self.ends for pair in end.traffic.directions(self.speed)]
        return utilization(directions) or Utilization()

    @functools.cached_property
    def search_text(self) -> str:
        """Everything that a search looks at, in lower case."""
        fields = [self.name, self.id, self.state.value, self.account]
        for end in self.ends:
            fields += [end.port, end.port_name, end.site, end.pop, f"vlan {end.vlan}"]
        return "\n".join(fields).lower()

    @property
    def vlans(self) -> Collection[str]:
        """The VLANs of its ends."""
        return {end.vlan for end in self.ends}


Listed = TypeVar("Listed", Port, VirtualCircuit)


def order(circuits: Collection[Listed]) -> list[Listed]:
    """Down ones first, then those without data, then by utilization; equals by account and ID."""

    def key(one: Listed) -> tuple[int, float, float, str, str]:
        share, rate = one.utilization
        return _RANKS[one.state], -share, -rate, one.account, one.id

    return sorted(circuits, key=key)


def matches(circuit: Port | VirtualCircuit, search: str) -> bool:
    """Whether a circuit has every word of a search; ``vlan:10`` stands for exactly this VLAN."""
    for word in search.lower().split():
        key, colon, value = word.partition(":")
        if key == "vlan" and colon:
            if value not in circuit.vlans:
                return False
        elif word not in circuit.search_text:
            return False
    return True
