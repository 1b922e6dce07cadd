"""The polled resources of an account: lists of circuits, maintenances, states and more.

Polling has a separate thread, but uses the stream's session; it never delays the stream or ends its session.
"""

from __future__ import annotations

from pf_exporter.inventory.maintenance_effects import Effects, effects
from pf_exporter.inventory.poll_stats import POLL_REASONS, PollStats
from pf_exporter.inventory.poller import InventoryPoller
from pf_exporter.inventory.probe import ResourceProbe
from pf_exporter.inventory.snapshot import Snapshot

__all__ = [
    "POLL_REASONS",
    "Effects",
    "InventoryPoller",
    "PollStats",
    "ResourceProbe",
    "Snapshot",
    "effects",
]
