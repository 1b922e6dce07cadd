"""The polled resources of an account: ports, virtual circuits and cloud router connections.

Polling has a separate thread, but uses the stream's session; it never delays the stream or ends its session.
"""

from __future__ import annotations

from pf_exporter.inventory.poller import InventoryPoller
from pf_exporter.inventory.snapshot import Snapshot

__all__ = [
    "InventoryPoller",
    "Snapshot",
]
