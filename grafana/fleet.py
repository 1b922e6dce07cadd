"""The dashboard Fleet: an overview of all ports and virtual circuits."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.fleet_circuits import add_circuits
from grafana.fleet_now import ALERT_KEYS, ALERTS, TO_PORT, add_now
from grafana.fleet_ports import add_ports
from grafana.fleet_trends import add_trends
from grafana.layout import new_dashboard, place
from grafana.panels import GREEN, ORANGE, RED, add_stat_row, bars, graph, stat_panel, with_link
from grafana.promql import (
    ADMIN_DOWN,
    ALL,
    CONNECTED,
    NOT_A_MEMBER,
    OPERATIONAL_UP,
    PORT_KEYS,
    WAYS,
    fold_ends,
    here,
    mean,
    port_named,
    port_traffic,
    vcs_here,
)

RED_IF_ANY = ((None, GREEN), (1, RED))


def _add_stats(board: dashboard.Dashboard) -> None:
    up = here(OPERATIONAL_UP)
    connected = vcs_here(CONNECTED)
    add_stat_row(
        board,
        stat_panel(
            "Streams down",
            "Accounts without a working event stream. Red: the panels below are out of date; open Exporter.",
            f"count(max by (account) (packetfabric_up{{{ALL}}}) == 0) or 0 * count(packetfabric_up{{{ALL}}})",
            colors=RED_IF_ANY,
            empty="no exporter",
        ),
        stat_panel(
            "Ports up",
            "Ports, LAGs and LAG members that are up, as of the last poll of the inventory.",
            f"count({up} == 1)",
            empty="no inventory",
        ),
        stat_panel(
            "Ports down",
            "Ports that are down but not administratively down. Red: they are first in the table Ports.",
            f"count({up} == 0 unless on ({PORT_KEYS}) {ADMIN_DOWN}) or 0 * count({up})",
            colors=RED_IF_ANY,
            empty="no inventory",
        ),
        stat_panel(
            "Circuits up",
            "Virtual circuits that are connected, as of the last poll of the inventory.",
            f"count({connected} == 1)",
            empty="no inventory",
        ),
        stat_panel(
            "Circuits down",
            "Virtual circuits that are not connected. Red: they are first in the table Virtual circuits.",
            f"count({connected} == 0) or 0 * count({connected})",
            empty="no inventory",
            colors=RED_IF_ANY,
        ),
        stat_panel(
            "Alerts firing",
            "Alerts of prometheus/alerts.yml, if it is loaded; the table below lists them.",
            f'count(group by ({ALERT_KEYS}) (ALERTS{{{ALERTS}, alertstate="firing"}})) or vector(0)',
            colors=((None, GREEN), (1, ORANGE)),
        ),
    )


def _talkers(direction: str) -> str:
    traffic = f"{port_traffic(direction)}\n  {NOT_A_MEMBER}"
    return f"sort_desc({port_named(f'8 * topk(8, {here(traffic)})')})"


def _add_traffic(board: dashboard.Dashboard) -> None:
    board.with_panel(
        graph(
            "Traffic of all virtual circuits",
            "Traffic received at all VC ends, and transmitted (below the axis). A lasting difference means "
            "packet loss, or circuits of which only one end reports.",
            [
                (
                    f"8 * sum({here(fold_ends(mean(f'packetfabric_vc_{direction}_bytes_per_second')))})",
                    direction,
                )
                for direction in WAYS
            ],
            "bps",
            size=(24, 7),
            below=True,
        )
    )
    for direction in WAYS:
        board.with_panel(
            with_link(
                bars(
                    f"Busiest ports, {direction}",
                    "Ports with the most traffic now; LAGs instead of their members. Open a port to see the"
                    " traffic of its circuits.",
                    _talkers(direction),
                    "{{name}}",
                    "bps",
                    low=0,
                ),
                *TO_PORT,
            )
        )


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    board = new_dashboard(
        "fleet",
        "Fleet",
        "What is broken, since when, and who is affected: alerts, states, traffic, errors and optical power"
        " of all ports and virtual circuits.",
        since="now-24h",
        variables=place(),
    )
    _add_stats(board)
    add_now(board)
    add_ports(board)
    add_circuits(board)
    _add_traffic(board)
    add_trends(board)
    return board
