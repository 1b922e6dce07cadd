"""The parts of one simulator that its routes and streams share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pf_exporter.simulator.account import Account
from pf_exporter.simulator.counters import Counters
from pf_exporter.simulator.faults import Faults
from pf_exporter.simulator.maintenance import Maintenances
from pf_exporter.simulator.network import Network
from pf_exporter.simulator.options import Options


@dataclass(frozen=True, eq=False)
class Context:
    """The parts of one simulator."""

    options: Options
    wall: Callable[[], float]
    """Returns UNIX seconds."""
    started: float
    """When the simulator was created, in UNIX seconds."""
    network: Network
    maintenances: Maintenances
    account: Account
    faults: Faults
    counters: Counters
