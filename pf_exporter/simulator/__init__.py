"""A simulated PacketFabric API on this machine, for demonstrations and tests.

It serves the routes that the exporter uses, streams the events of a deterministic network, and injects faults
on demand. It never contacts PacketFabric, and it shares neither tables nor parsers with the exporter, so that
a mistake in those shows in tests.

>>> with Simulator(Options(listen_address="127.0.0.1:0")) as simulator:
...     simulator.logins
0
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.lazy import lazy_names
from pf_exporter.simulator.faults import FAULTS, RESOURCE_NAMES
from pf_exporter.simulator.maintenance import MAINTENANCES
from pf_exporter.simulator.network import Network
from pf_exporter.simulator.options import Options

if TYPE_CHECKING:
    from pf_exporter.simulator.server import Simulator
else:  # Needs starlette and uvicorn.
    __getattr__ = lazy_names(__name__, {"server": ("Simulator",)})

__all__ = ["FAULTS", "MAINTENANCES", "RESOURCE_NAMES", "Network", "Options", "Simulator"]
