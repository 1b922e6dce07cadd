"""The circuits of the table: their values, their states, and a reading of all of them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from pf_exporter.utilization import Utilization, utilization


class Kind(enum.Enum):
    """The kind of circuit in the rows of the table."""

    PORTS = "ports"
    VCS = "vcs"


class State(enum.Enum):
    """The state of a circuit, as the table shows it; those that need attention come first."""

    DOWN = "down"
    NO_DATA = "no data"
    DISABLED = "disabled"
    UP = "up"


class Circuit(NamedTuple):
    """One port, or one end of a virtual circuit; unknown values are None or empty."""

    kind: Kind
    account: str
    circuit: str
    """The ID."""
    port: str = ""
    """The port of the VC end."""
    vlan: str = ""
    name: str = ""
    """The description in the inventory."""
    up: float | None = None
    """1 or 0: whether the port is operationally up, or the virtual circuit connected."""
    enabled: float | None = None
    """1 or 0: whether the port is administratively up."""
    speed: float | None = None
    """Of the port, in bits per second."""
    receive_limit: float | None = None
    """Of the virtual circuit, in bits per second."""
    transmit_limit: float | None = None
    receive: float | None = None
    """Bits per second."""
    transmit: float | None = None
    errors: float | None = None
    """Received and transmitted errors in total, as counted by the router."""
    light: float | None = None
    """Optical power received in dBm, of the weakest lane."""
    last_event: float | None = None
    """UNIX seconds."""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Identifies the circuit among those of its kind."""
        return self.account, self.circuit, self.port, self.vlan

    @property
    def state(self) -> State:
        """The state; a circuit whose state is not in the inventory is up while it has data."""
        if self.enabled == 0:
            return State.DISABLED
        if self.up == 0:
            return State.DOWN
        if self.receive is None and self.transmit is None:
            return State.NO_DATA
        return State.UP

    @property
    def utilization(self) -> Utilization | None:
        """That of the busier direction; None without traffic."""
        return utilization(
            [
                (self.receive, self.receive_limit or self.speed),
                (self.transmit, self.transmit_limit or self.speed),
            ]
        )

    @property
    def capacity(self) -> float | None:
        """The speed that the table shows: the larger limit of a virtual circuit, else the port's speed."""
        return max(self.receive_limit or 0.0, self.transmit_limit or 0.0) or self.speed

    @property
    def receive_load(self) -> float | None:
        """The received share of the limit, or of the port's speed."""
        return _share(self.receive, self.receive_limit or self.speed)

    @property
    def transmit_load(self) -> float | None:
        """The transmitted share of the limit, or of the port's speed."""
        return _share(self.transmit, self.transmit_limit or self.speed)


def _share(rate: float | None, capacity: float | None) -> float | None:
    return rate / capacity if rate is not None and capacity else None


class Reading(NamedTuple):
    """All circuits at one moment."""

    circuits: tuple[Circuit, ...] = ()
    accounts: Mapping[str, str] = MappingProxyType({})
    """By account, the state of its stream; ``streaming`` is good."""
    age: float = 0.0
    """Seconds since the values were read from the source."""
    at: float = 0.0
    """UNIX seconds of the values, by the clock that ``last_event`` is read from."""
    serial: int = 0
    """Rises with every reading that has new values."""
    problem: str = ""
    """Why there are no newer values, in one line for people; empty if all is well."""
    remedy: str = ""
    """What to do about the problem, in whole sentences; empty if there is no advice."""
    has_inventory: bool = True
    """Whether names and states are known, or never will be."""


STREAMING = "streaming"
"""The state of a stream in :attr:`Reading.accounts` that delivers events."""


class Source(Protocol):
    """A source of readings."""

    def read(self) -> Reading:
        """The latest values; returns at once."""
