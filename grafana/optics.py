"""The dashboard Optics: which fibre or module needs a hand, before it fails?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.layout import board, circuit
from grafana.panels import GREEN, ORANGE, RED, YELLOW, across, bars, graph, linked, number
from grafana.promql import ALL, TARGET, port_named, threshold

LANES = f'{ALL}, port_circuit_id=~"$port"'
POWER = f"packetfabric_port_optical_receive_power_dbm{{{LANES}}}"
DARK = -35
"""dBm below which a lane gets no light at all: its port is down, and it says nothing of the fibre."""
MARGIN = threshold("receive_margin")
MARGINS = ((None, RED), (MARGIN, ORANGE), (MARGIN + 2, YELLOW), (MARGIN + 4, GREEN))
"""The colours of a margin in dB; red is where PacketFabricOpticsReceiveLow fires."""
TO_PORT = ("Open port", "port", "var-port=${__field.labels.port_circuit_id}")


def _drift(days: int) -> str:
    before = f"avg_over_time({POWER}[1h] offset {days}d)"
    return f"(avg_over_time({POWER}[1h]) > {DARK}) - ({before} > {DARK})"


def _heads(made: dashboard.Dashboard) -> None:
    margin = f"lane:packetfabric_receive_margin:db{{{LANES}}}"
    across(
        made,
        number(
            "Lanes",
            "Lanes that say how much light they get. A port whose optics say nothing has none.",
            f"count({POWER})",
            empty="no optics",
        ),
        number(
            "Dark",
            "Lanes without any light: their ports are down, or their fibre is not plugged. Red: open Fleet.",
            f"count({POWER} < {DARK}) or 0 * count({POWER})",
            colors=((None, GREEN), (1, RED)),
        ),
        number(
            "Least margin",
            "Of the lanes with light: dB above the least their optics can hear. Red: clean, before it fails. "
            "Needs "
            "the recording rules.",
            f"min({margin} and on ({TARGET}, port_circuit_id, lane) {POWER} > {DARK})",
            "dB",
            colors=((None, RED), (MARGIN, YELLOW), (MARGIN + 2, GREEN)),
            decimals=1,
            empty="no rules",
        ),
        number(
            "Most apart",
            "The greatest difference between two lanes of a port. Red: one laser or one fibre of it is weak.",
            "max(max without (lane) (" + POWER + ") - min without (lane) (" + POWER + "))",
            "dB",
            colors=((None, GREEN), (2, YELLOW), (threshold("lane_spread"), RED)),
            decimals=1,
        ),
    )


def build() -> dashboard.Dashboard:
    """The whole dashboard."""
    made = board(
        "optics",
        "Optics",
        "Light and lasers of all ports: which fibre or module needs a hand, before it fails?",
        since="now-3d",
        variables=[circuit("port", "Port", multi=True)],
    )
    _heads(made)
    lane = "{{name}} · {{lane}}"
    margin = f"lane:packetfabric_receive_margin:db{{{LANES}}}"
    drift = f"sort(bottomk(12, {port_named(_drift(1))}))"
    for panel in (
        linked(
            bars(
                "Margin",
                "dB above the least that the optics of a lane can hear, the least first (with the recording "
                "rules). "
                "Red: clean both ends, look for bends, measure the cross connect.",
                f"sort(bottomk(12, {port_named(margin)}))",
                lane,
                "dB",
                colors=MARGINS,
                size=(12, 11),
                low=0,
                high=20,
                empty="no rules",
            ),
            *TO_PORT,
        ),
        linked(
            bars(
                "Drift in a day",
                "How much more or less light a lane gets than a day ago. Well below 0: dirt or age; a whole "
                "dB: a bend "
                "or a new patch.",
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
        linked(
            graph(
                "Light received",
                "Every lane that has light. One that falls for days wants cleaning; one that fell in a step "
                "was touched.",
                [(port_named(f"{POWER} > {DARK}"), lane)],
                "dBm",
                size=(24, 11),
                legend=("lastNotNull", "min"),
            ),
            *TO_PORT,
        ),
        graph(
            "Light transmitted",
            "Every lane that has light. One that falls is a laser at its end: order a module.",
            [(port_named(f"packetfabric_port_optical_transmit_power_dbm{{{LANES}}}"), lane)],
            "dBm",
            size=(12, 9),
            legend=("lastNotNull",),
        ),
        graph(
            "Bias current",
            "What the lasers take. It climbs when they grow old, before their light falls.",
            [(port_named(f"packetfabric_port_optical_bias_current_amperes{{{LANES}}}"), lane)],
            "amp",
            size=(12, 9),
            legend=("lastNotNull",),
        ),
    ):
        made.with_panel(panel)
    return made
