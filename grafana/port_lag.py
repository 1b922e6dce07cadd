"""The members of a LAG in the dashboard Port."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.panels import graph
from grafana.promql import ALL, PORT_KEYS, WAYS, port_named_in_graph, port_traffic

MEMBERS = f'packetfabric_port_info{{{ALL}, lag="$port"}}'


def _members(direction: str) -> str:
    return f"({port_traffic(direction, '$__rate_interval')} and on ({PORT_KEYS}) {MEMBERS})"


def _imbalance(direction: str) -> str:
    members = _members(direction)
    return f"max(max by (account) ({members}) / (avg by (account) ({members}) > 0)) - 1"


def add_lag(board: dashboard.Dashboard) -> None:
    """Add the traffic of the members of a LAG, and how unequal it is."""
    for panel in (
        graph(
            "LAG members",
            "Traffic of each member, if the port is a LAG: received, and transmitted below the axis. A "
            "member without traffic: check its State.",
            [
                (f"8 * {port_named_in_graph(_members('receive'))}", "{{name}} receive"),
                (f"8 * {port_named_in_graph(_members('transmit'))}", "{{name}} transmit"),
            ],
            "bps",
            size=(16, 8),
            below=True,
        ),
        graph(
            "LAG imbalance",
            "By how much the busiest member exceeds the mean of all members, if the port is a LAG. 0 % is "
            "balanced; 100 % with two members: one carries everything. If it stays high: change what the "
            "router hashes.",
            [(_imbalance(way), way) for way in WAYS],
            "percentunit",
            size=(8, 8),
            floor=0,
            soft=(0, 1),
        ),
    ):
        board.with_panel(panel.no_value("not a LAG"))
