"""A polled list of the API: its path and its rows, and the values that rows of several lists share."""

from __future__ import annotations

import uuid
from typing import NamedTuple, Protocol

from pf_exporter.simulator.network import Network
from pf_exporter.simulator.topology import Port

Row = dict[str, object]
"""One JSON object of a list."""


class RowSource(Protocol):
    """The function that makes the rows of a list."""

    def __call__(self, network: Network, at: float) -> list[Row]:
        """Return the rows as they are at ``at``, UNIX seconds."""


class Resource(NamedTuple):
    """A polled list."""

    path: str
    rows: RowSource


CUSTOMER_NAME = "Vandelay Industries"
CREATED = "2024-01-01T10:16:42.929389-0700"


def resource_uuid(seed: int, name: str) -> str:
    """Return a UUID that depends only on the seed and the name."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{seed}/{name}"))


def is_up(port: Port, at: float) -> bool:
    """Return whether a port is up; a LAG is up if at least one member is."""
    return any(member.up(at) for member in port.members or [port])


def operational_status(port: Port, at: float) -> str:
    """Return ``operational_status`` of a port or a LAG."""
    return "up" if is_up(port, at) else "down"
