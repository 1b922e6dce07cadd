"""A maintenance of the network as announced by PacketFabric."""

from __future__ import annotations

from typing import NamedTuple


class Maintenance(NamedTuple):
    """The newest notification about one maintenance; times are UNIX seconds, IDs as received."""

    uuid: str
    ticket: str
    type: str
    action: str
    start: float | None
    end: float | None
    updated: float
    ports: tuple[str, ...] = ()
    vcs: tuple[str, ...] = ()
    cloud_router_connections: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    pops: tuple[str, ...] = ()
    system_wide: bool = False

    @property
    def is_over(self) -> bool:
        """Whether the notification ends the maintenance."""
        return self.action in ENDING_ACTIONS

    @property
    def lists_circuits(self) -> bool:
        """Whether the notification names the circuits that are affected."""
        return bool(self.ports or self.vcs or self.cloud_router_connections)


ACTIONS = ("open", "update", "reminder", "close", "cancel")
ENDING_ACTIONS = ("close", "cancel")
TYPES = ("outage", "upgrade", "emergency", "routine", "degraded", "portal", "cloud")


def classify(*values: str) -> tuple[str, str]:
    """The type and the action among the values of the fields ``type`` and ``action``.

    The API's description swaps the two fields between its request and its response, so the value decides.

    >>> classify("open", "upgrade"), classify("routine", "cancel")
    (('upgrade', 'open'), ('routine', 'cancel'))
    """
    lowered = [value.lower() for value in values]
    action = next((value for value in lowered if value in ACTIONS), "")
    others = [value for value in lowered if value != action]
    kind = next((value for value in others if value in TYPES), "")
    return kind or next(filter(None, others), ""), action
