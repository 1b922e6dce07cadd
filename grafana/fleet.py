"""The dashboard Fleet: an overview of all ports and virtual circuits."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.fleet_ports import ADMIN_DOWN, BUSIER, FULL, OPERATIONAL_UP, PORT_KEYS, add_ports
from grafana.layout import new_dashboard
from grafana.optics import MARGIN_COLORS
from grafana.panels import (
    COARSE,
    GREEN,
    ORANGE,
    RED,
    YELLOW,
    add_stat_row,
    bars,
    graph,
    stat_panel,
    state_timeline,
    with_link,
)
from grafana.promql import ALL, RECORDED, bits, increases, port_named, recorded_port_named

TO_PORT = ("Open port", "port", "var-port=${__field.labels.port_circuit_id}")
RED_IF_ANY = ((None, GREEN), (1, RED))
UTILISATION_COLORS = (
    *((None, "#1d3427"), (0.05, "#254f35"), (0.1, "#2f6b43"), (0.2, "#4c8f4f"), (0.3, "#8aa84b")),
    *((0.5, YELLOW), (0.7, ORANGE), (FULL, RED)),
)


def _talkers(direction: str) -> str:
    # A LAG and its members count the same traffic.
    traffic = (
        f"8 * avg_over_time(packetfabric_port_{direction}_bytes_per_second{{{ALL}}}[10m])\n"
        f'  unless on ({PORT_KEYS}) packetfabric_port_info{{lag!=""}}'
    )
    return f"sort_desc(topk(8, {port_named(traffic)}))"


def _add_stats(board: dashboard.Dashboard) -> None:
    add_stat_row(
        board,
        stat_panel(
            "Streams down",
            "Accounts without a working event stream. Red: the panels below are out of date; open Exporter.",
            f"count(packetfabric_up{{{ALL}}} == 0) or 0 * count(packetfabric_up{{{ALL}}})",
            colors=RED_IF_ANY,
            empty="no exporter",
        ),
        stat_panel(
            "Ports up",
            "Ports, LAGs and LAG members that are up, as of the last poll of the inventory.",
            f"count({OPERATIONAL_UP} == 1)",
            empty="no inventory",
        ),
        stat_panel(
            "Ports down",
            "Ports that are down but not administratively down. Red: find them in the table and open each.",
            f"count({OPERATIONAL_UP} == 0 unless on ({PORT_KEYS}) {ADMIN_DOWN})"
            f" or 0 * count({OPERATIONAL_UP})",
            colors=RED_IF_ANY,
            empty="no inventory",
        ),
        stat_panel(
            "Circuits connected",
            "Virtual circuits that are connected, as of the last poll of the inventory.",
            f"count(packetfabric_vc_connected{{{ALL}}} == 1)",
        ),
        stat_panel(
            "Circuits down",
            "Virtual circuits that are not connected. Red: open Virtual circuit and check its ports.",
            f"count(packetfabric_vc_connected{{{ALL}}} == 0) or 0 * "
            f"count(packetfabric_vc_connected{{{ALL}}})",
            colors=RED_IF_ANY,
        ),
        stat_panel(
            "Alerts firing",
            "Alerts of prometheus/alerts.yml, if it is loaded. Orange: docs/runbook.md describes what to do.",
            'count(ALERTS{alertname=~"PacketFabric.+", alertstate="firing"}) or vector(0)',
            colors=((None, GREEN), (1, ORANGE)),
        ),
    )


def _add_traffic(board: dashboard.Dashboard) -> None:
    board.with_panel(
        graph(
            "Traffic of all virtual circuits",
            "Traffic received at all ends, and transmitted (below the axis). A difference means packet loss.",
            [
                (f"sum({bits('packetfabric_vc_receive_bytes_total', ALL)})", "in"),
                (f"sum({bits('packetfabric_vc_transmit_bytes_total', ALL)})", "out"),
            ],
            "bps",
            size=(24, 7),
            below=True,
        )
    )
    for direction, word in (("receive", "in"), ("transmit", "out")):
        board.with_panel(
            with_link(
                bars(
                    f"Top talkers {word}",
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
    board.with_panel(
        with_link(
            state_timeline(
                "Utilisation by port",
                "Utilisation of the busier direction; the speed of a LAG is the sum of its members. "
                "Red: saturated; move or limit a circuit, or order capacity.",
                [(port_named(BUSIER), "{{name}}")],
                "percentunit",
                size=(24, 11),
                colors=UTILISATION_COLORS,
                step=COARSE,
            ),
            *TO_PORT,
        )
    )


def _add_errors_and_margins(board: dashboard.Dashboard) -> None:
    board.with_panel(
        with_link(
            bars(
                "Ports with errors",
                "Damaged or dropped frames received in the selected time range. If they grow: open the "
                "port, check the type of error, then the receive power.",
                "sort_desc(topk(8, "
                + port_named(
                    f"increase(packetfabric_port_receive_unspecified_errors_total{{{ALL}}}[$__range]) > 0"
                )
                + "))",
                "{{name}}",
                "short",
                colors=((None, ORANGE),),
                low=0,
                size=(8, 8),
                empty="no errors",
            ),
            *TO_PORT,
        )
    )
    board.with_panel(
        with_link(
            bars(
                "Lowest receive margin",
                "The lanes with the lowest receive power above the minimum of their optics, in dB "
                "(needs the recording rules), without administratively down ports. Red: open Optics, "
                "clean both ends.",
                "sort(bottomk(8, "
                + recorded_port_named(
                    f"lane:packetfabric_receive_power_dbm:margin{{{RECORDED}}}"
                    f" unless on (job, account, port_circuit_id) {ADMIN_DOWN}"
                )
                + "))",
                "{{name}} · {{lane}}",
                "dB",
                size=(8, 8),
                low=0,
                high=20,
                colors=MARGIN_COLORS,
                empty="no rules",
            ),
            "Open optics",
            "optics",
            "var-port=${__field.labels.port_circuit_id}",
        )
    )


def _add_activity(board: dashboard.Dashboard) -> None:
    board.with_panel(
        graph(
            "Activity",
            "Entries of the activity log by category, to find changes made shortly before a "
            "problem. The portal shows the complete entries; the exporter's log has their category,"
            " level and event.",
            [(increases("packetfabric_activity_events_total", "category"), "log {{category}}")],
            "short",
            size=(8, 8),
            bars=True,
            step=COARSE,
            soft=(0, 1),
        )
    )


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    board = new_dashboard(
        "fleet",
        "Fleet",
        "Overview of all ports and virtual circuits: state, traffic, errors and optical power.",
        since="now-24h",
    )
    _add_stats(board)
    add_ports(board)
    _add_traffic(board)
    _add_errors_and_margins(board)
    _add_activity(board)
    return board
