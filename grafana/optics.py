"""The dashboard Optics: optical power and bias current of all ports."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.layout import circuit, new_dashboard, place
from grafana.panels import DBM, GREEN, ORANGE, RED, YELLOW, add_stat_row, bars, graph, stat_panel, with_link
from grafana.promql import (
    ALL,
    PORT_KEYS,
    RECORDED,
    fold,
    here,
    port_named,
    port_named_in_graph,
    threshold,
)

LANES = f'{ALL}, port_circuit_id=~"$port"'
LANE_KEYS = f"{PORT_KEYS}, lane"


def _lanes(metric: str) -> str:
    return here(fold(f"{metric}{{{LANES}}}", LANE_KEYS))


POWER = _lanes("packetfabric_port_optical_receive_power_dbm")
_RECORDED = f'lane:packetfabric_receive_power_dbm:margin{{{RECORDED}, port_circuit_id=~"$port"}}'
RECEIVE_MARGIN = here(fold(_RECORDED, LANE_KEYS))
DARK = -35
"""dBm below which a lane receives no light: its port is down, and the value says nothing about the fibre."""
MARGIN = threshold("receiveMargin")
MARGIN_COLORS = ((None, RED), (MARGIN, ORANGE), (MARGIN + 2, YELLOW), (MARGIN + 4, GREEN))
"""The colors of a margin in dB; red where PacketFabricOpticsReceiveLow fires."""
LANE = "{{name}} · {{lane}}"
TO_PORT = ("Open port", "port", "var-port=${__field.labels.port_circuit_id}")


LIT_MARGIN = f"({RECEIVE_MARGIN} and on ({LANE_KEYS}) {POWER} > {DARK})"
"""Of lanes that are not dark: a dark one is no reason to clean anything."""


def _hour(offset: str = "") -> str:
    """Return the mean receive power of an hour, of lanes that are not dark."""
    power = f"avg_over_time(packetfabric_port_optical_receive_power_dbm{{{LANES}}}[1h]{offset})"
    return f"({here(fold(power, LANE_KEYS))} > {DARK})"


LOST = f"{_hour(' offset 1d')} - {_hour()}"
"""How much less light each lane receives than a day ago, in dB."""


def _lowest(quantity: str, lit: str = "") -> str:
    """Return the lanes with the lowest mean in the time range, so that a graph stays readable."""
    metric = f"packetfabric_port_optical_{quantity}"
    over_range = fold(f"avg_over_time({metric}{{{LANES}}}[$__range] @ end())", LANE_KEYS)
    return port_named_in_graph(
        f"{_lanes(metric)}{lit} and on ({LANE_KEYS}) bottomk(16, {here(over_range)}{lit})"
    )


def _bias_of_lowest() -> str:
    weakest = f"avg_over_time(packetfabric_port_optical_transmit_power_dbm{{{LANES}}}[$__range] @ end())"
    return port_named_in_graph(
        f"{_lanes('packetfabric_port_optical_bias_current_amperes')}\n"
        f"and on ({LANE_KEYS}) bottomk(16, {here(fold(weakest, LANE_KEYS))})"
    )


def _add_stats(board: dashboard.Dashboard) -> None:
    lit = f"{POWER} > {DARK}"
    add_stat_row(
        board,
        stat_panel(
            "Lanes",
            "Lanes that report receive power. Ports without optical monitoring are not counted.",
            f"count({POWER})",
            empty="no optics",
        ),
        stat_panel(
            "Dark lanes",
            "Lanes without any receive power: their ports are down, or the fibre is not connected. "
            "Red: open Fleet.",
            f"count({POWER} < {DARK}) or 0 * count({POWER})",
            colors=((None, GREEN), (1, RED)),
        ),
        stat_panel(
            "Lowest margin",
            "Lowest receive power above the minimum of the optics, in dB, of lanes that are not "
            "dark. Red: clean the connectors. Needs the recording rules.",
            f"min({LIT_MARGIN})",
            "dB",
            colors=((None, RED), (MARGIN, YELLOW), (MARGIN + 2, GREEN)),
            decimals=1,
            empty="no rules",
        ),
        stat_panel(
            "Lane difference",
            "The largest difference in receive power between two lanes of a port. Red: one laser or"
            " fibre of it is degrading.",
            f"max(max by ({PORT_KEYS}) ({lit}) - min by ({PORT_KEYS}) ({lit}))",
            "dB",
            colors=((None, GREEN), (2, YELLOW), (threshold("laneSpread"), RED)),
            decimals=1,
        ),
    )


def _add_received(board: dashboard.Dashboard) -> None:
    # First the lane, because the end of a long label is cut off.
    bar = "{{lane}} · {{name}}"
    for panel in (
        with_link(
            bars(
                "Receive margin",
                "Receive power above the minimum of the optics, in dB, the lowest first (needs the recording "
                "rules), without dark lanes; the label is lane and port. Red: clean both ends, look for "
                "bends, measure the cross connect.",
                f"sort({port_named(f'bottomk(12, {LIT_MARGIN})')})",
                bar,
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
                "Receive power lost in 24 hours",
                "How much less light a lane receives than 24 hours ago, in dB. A few tenths: dirt or aging."
                " A whole dB: a bend or a new patch.",
                f"sort_desc({port_named(f'topk(12, {LOST})')})",
                bar,
                "dB",
                colors=((None, GREEN), (0.5, ORANGE), (2, RED)),
                size=(12, 11),
                low=0,
                high=6,
                empty="less than a day of data",
            ),
            *TO_PORT,
        ),
        with_link(
            graph(
                "Receive power",
                "The 16 lanes with the lowest receive power that are not dark; choose ports to see others. "
                "Decrease over days: clean the connectors. Step: the fibre was moved.",
                [(_lowest("receive_power_dbm", f" > {DARK}"), LANE)],
                DBM,
                size=(24, 11),
                legend=("lastNotNull", "min"),
                empty="no optics",
            ),
            *TO_PORT,
        ),
    ):
        board.with_panel(panel)


def _add_lasers(board: dashboard.Dashboard) -> None:
    for panel in (
        graph(
            "Transmit power",
            "The 16 lanes with the lowest transmit power. A decrease is a failing laser: replace the module.",
            [(_lowest("transmit_power_dbm"), LANE)],
            DBM,
            size=(12, 9),
            soft=(-6, 2),
            legend=("lastNotNull",),
            empty="no optics",
        ),
        graph(
            "Bias current",
            "Laser bias current of the same lanes. It increases as a laser ages, before the transmit power "
            "decreases.",
            [(_bias_of_lowest(), LANE)],
            "amp",
            size=(12, 9),
            soft=(0.02, 0.06),
            legend=("lastNotNull",),
            empty="no optics",
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
        variables=[*place(), circuit("port", "Port", multi=True)],
    )
    _add_stats(board)
    _add_received(board)
    _add_lasers(board)
    return board
