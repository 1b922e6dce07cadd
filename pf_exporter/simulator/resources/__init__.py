"""The polled resources: one module per list of the API, and the table of all lists."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from pf_exporter.simulator.network import Network
from pf_exporter.simulator.resources import cloud_router_connections, ports, virtual_circuits
from pf_exporter.simulator.resources.row import Row


class RowSource(Protocol):
    """The function of a list's module that makes its rows."""

    def __call__(self, network: Network, at: float) -> list[Row]:
        """Return the rows as they are at ``at``, UNIX seconds."""


LISTS: Mapping[str, RowSource] = MappingProxyType(
    {
        ports.PATH: ports.rows,
        virtual_circuits.PATH: virtual_circuits.rows,
        cloud_router_connections.PATH: cloud_router_connections.rows,
    }
)
"""The rows of each list by its path."""
