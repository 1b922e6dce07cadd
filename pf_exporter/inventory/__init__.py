"""The polled resources of an account: ports, virtual circuits, cloud router connections.

Polls on a thread of its own, in the session of the stream.
"""

from __future__ import annotations

from pf_exporter.inventory.poller import InventoryPoller
from pf_exporter.inventory.snapshot import Snapshot

__all__ = [
    "InventoryPoller",
    "Snapshot",
]
