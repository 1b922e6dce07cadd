"""The dashboard Optics: optical power and bias current of all ports."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.layout import circuit, new_dashboard
from grafana.panels import GREEN, ORANGE, RED, YELLOW, add_stat_row, bars, graph, stat_panel, with_link
from grafana.promql import ALL, RECORDED, port_named, recorded_port_named, threshold

LANES = f'{ALL}, port_circuit_id=~"$port"'
RECORDED_LANES = f'{RECORDED}, port_circuit_id=~"$port"'
POWER = f"packetfabric_port_optical_receive_power_dbm{{{LANES}}}"
DARK = -35
"""dBm below which a lane receives no light: its port is down, and the value says nothing about the fibre."""
MARGIN = threshold("receiveMargin")
MARGIN_COLORS = ((None, RED), (MARGIN, ORANGE), (MARGIN + 2, YELLOW), (MARGIN + 4, GREEN))
"""The colors of a margin in dB; red where PacketFabricOpticsReceiveLow fires."""
TO_PORT = ("Open port", "port", "var-port=${__field.labels.port_circuit_id}")


def _drift(days: int) -> str:
    before = f"avg_over_time({POWER}[1h] offset {days}d)"
    return f"(avg_over_time({POWER}[1h]) > {DARK}) - ({before} > {DARK})"


def _add_stats(board: dashboard.Dashboard) -> None:
    margin = f"lane:packetfabric_receive_power_dbm:margin{{{RECORDED_LANES}}}"
    add_stat_row(
        board,
        stat_panel(
            "Lanes",
            "Lanes that report receive power. Ports without optical monitoring are not counted.",
            f"count({POWER})",
            empty="no optics",
        ),
        stat_panel(
            "Dark",
            "Lanes without any receive power: their ports are down, or the fibre is not connected. "
            "Red: open Fleet.",
            f"count({POWER} < {DARK}) or 0 * count({POWER})",
            colors=((None, GREEN), (1, RED)),
        ),
        stat_panel(
            "Lowest margin",
            "Lowest receive power above the minimum of the optics, in dB, of lanes that are not "
            "dark. Red: clean the connectors. Needs the recording rules.",
            f"min({margin} and on (job, account, port_circuit_id, lane) {POWER} > {DARK})",
            "dB",
            colors=((None, RED), (MARGIN, YELLOW), (MARGIN + 2, GREEN)),
            decimals=1,
            empty="no rules",
        ),
        stat_panel(
            "Lane difference",
            "The largest difference in receive power between two lanes of a port. Red: one laser or"
            " fibre of it is degrading.",
            "max(max without (lane) (" + POWER + ") - min without (lane) (" + POWER + "))",
            "dB",
            colors=((None, GREEN), (2, YELLOW), (threshold("laneSpread"), RED)),
            decimals=1,
        ),
    )


def _add_received(board: dashboard.Dashboard) -> None:
    lane = "{{name}} · {{lane}}"
    margin = f"lane:packetfabric_receive_power_dbm:margin{{{RECORDED_LANES}}}"
    drift = f"sort(bottomk(12, {port_named(_drift(1))}))"
    for panel in (
        with_link(
            bars(
                "Margin",
                "Receive power above the minimum of the optics, in dB, the lowest first (needs the "
                "recording rules). Red: clean both ends, look for bends, measure the cross connect.",
                f"sort(bottomk(12, {recorded_port_named(margin)}))",
                lane,
                "dB",
                colors=MARGIN_COLORS,
                size=(12, 11),
                low=0,
                high=20,
                empty="no rules",
            ),
            *TO_PORT,
        ),
        with_link(
            bars(
                "Change in 24 hours",
                "Change of the receive power since 24 hours ago. Clearly below 0: dirt or aging. A "
                "whole dB: a bend or a new patch.",
                drift,
                lane,
                "dB",
                colors=((None, RED), (-2, ORANGE), (-0.5, GREEN)),
                size=(12, 11),
                low=-6,
                high=6,
                empty="less than a day of data",
            ),
            *TO_PORT,
        ),
        with_link(
            graph(
                "Receive power",
                "All lanes that are not dark. Decrease over days: clean the connectors. Step: the "
                "fibre was moved.",
                [(port_named(f"{POWER} > {DARK}"), lane)],
                "dBm",
                size=(24, 11),
                legend=("lastNotNull", "min"),
            ),
            *TO_PORT,
        ),
    ):
        board.with_panel(panel)


def _add_lasers(board: dashboard.Dashboard) -> None:
    lane = "{{name}} · {{lane}}"
    for panel in (
        graph(
            "Transmit power",
            "By lane. A decrease is a failing laser: replace the module.",
            [(port_named(f"packetfabric_port_optical_transmit_power_dbm{{{LANES}}}"), lane)],
            "dBm",
            size=(12, 9),
            legend=("lastNotNull",),
        ),
        graph(
            "Bias current",
            "Laser bias current by lane. It increases as a laser ages, before the transmit power decreases.",
            [(port_named(f"packetfabric_port_optical_bias_current_amperes{{{LANES}}}"), lane)],
            "amp",
            size=(12, 9),
            legend=("lastNotNull",),
        ),
    ):
        board.with_panel(panel)


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    board = new_dashboard(
        "optics",
        "Optics",
        "Optical power and laser bias current of all ports, to find degrading fibres and "
        "modules before they fail.",
        since="now-3d",
        variables=[circuit("port", "Port", multi=True)],
    )
    _add_stats(board)
    _add_received(board)
    _add_lasers(board)
    return board
