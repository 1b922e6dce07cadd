"""A PacketFabric that runs on your machine: same routes and events, a believable network, and faults."""

from __future__ import annotations

from pf_exporter.simulator.faults import FAULTS
from pf_exporter.simulator.network import Network
from pf_exporter.simulator.options import Options
from pf_exporter.simulator.server import Simulator

__all__ = ["FAULTS", "Network", "Options", "Simulator"]
