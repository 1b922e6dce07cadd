"""A PacketFabric that runs on your machine: same routes and events, a believable network, and faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.lazy import lazy_names
from pf_exporter.simulator.faults import FAULTS
from pf_exporter.simulator.network import Network
from pf_exporter.simulator.options import Options

if TYPE_CHECKING:
    from pf_exporter.simulator.server import Simulator
else:  # Needs starlette and uvicorn.
    __getattr__ = lazy_names(__name__, {"Simulator": "server"})

__all__ = ["FAULTS", "Network", "Options", "Simulator"]
