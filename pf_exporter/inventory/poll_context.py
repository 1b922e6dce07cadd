"""What the polls of one account have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pf_exporter.inventory.poll_stats import PollStats
from pf_exporter.packetfabric import SessionManager


class PollContext(NamedTuple):
    """The session, the statistics and the clocks of one account's polls."""

    account: str
    session_manager: SessionManager
    stats: PollStats
    is_stopping: Callable[[], bool]
    clock: Callable[[], float]
    """Monotonic."""
    wall: Callable[[], float]
    """UNIX seconds."""
    random: Callable[[], float]
    """From 0 to 1."""
