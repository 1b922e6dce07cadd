"""What may break next: utilization, errors and optical margins, at the end of the dashboard Fleet."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.fleet_now import TO_PORT
from grafana.fleet_ports import FULL
from grafana.optics import DARK, MARGIN_COLORS
from grafana.panels import COARSE, ORANGE, RED, YELLOW, bars, graph, state_timeline, with_link
from grafana.promql import (
    ADMIN_DOWN,
    ALL,
    CAPACITY,
    PORT_KEYS,
    RECORDED,
    WAYS,
    busier,
    fold,
    here,
    increases,
    once,
    per_million,
    port_named,
    port_named_in_graph,
    port_traffic,
)

UTILIZATION_COLORS = (
    *((None, "#1d3427"), (0.05, "#254f35"), (0.1, "#2f6b43"), (0.2, "#4c8f4f"), (0.3, "#8aa84b")),
    *((0.5, YELLOW), (0.7, ORANGE), (FULL, RED)),
)


def _busiest() -> str:
    """Return the utilization of the ports that were busiest over the whole time range."""
    peaks = (
        fold(f"max_over_time(packetfabric_port_{way}_bytes_per_second{{{ALL}}}[$__range] @ end())")
        for way in WAYS
    )
    speed = f"/ on ({PORT_KEYS}) group_left () {once(CAPACITY)}"
    now = busier(*(port_traffic(way, "$__rate_interval") for way in WAYS))
    return f"({now}\n  and on ({PORT_KEYS}) topk(20, {here(f'{busier(*peaks)} {speed}')}))\n  {speed}"


def _add_utilization(board: dashboard.Dashboard) -> None:
    board.with_panel(
        with_link(
            state_timeline(
                "Utilization of the busiest ports",
                "The 20 ports with the highest peak in the selected time range, by their busier direction; "
                "the speed of a LAG is the sum of its members. Red: saturated; move or limit a circuit, or "
                "order capacity.",
                [(port_named_in_graph(_busiest()), "{{name}}")],
                "percentunit",
                size=(24, 12),
                colors=UTILIZATION_COLORS,
                step=COARSE,
            ),
            *TO_PORT,
        )
    )


def _add_errors(board: dashboard.Dashboard) -> None:
    errors = per_million(
        "packetfabric_port_receive_unspecified_errors_total",
        "packetfabric_port_receive_packets_total",
        "$__range",
    )
    board.with_panel(
        with_link(
            bars(
                "Errors per million packets",
                "Damaged or dropped frames received, per million packets, in the selected time range. If "
                "they grow: open the port, check the type of error, then the receive power.",
                f"sort_desc({port_named(f'topk(8, {here(errors)} > 0)')})",
                "{{name}}",
                "short",
                colors=((None, ORANGE),),
                low=0,
                size=(7, 8),
                empty="no errors",
            ),
            *TO_PORT,
        )
    )


def _add_margins(board: dashboard.Dashboard) -> None:
    lane = f"{PORT_KEYS}, lane"
    power = fold(f"packetfabric_port_optical_receive_power_dbm{{{ALL}}}", lane)
    margin = (
        f"{fold(f'lane:packetfabric_receive_power_dbm:margin{{{RECORDED}}}', lane)}"
        f" and on ({lane}) {power} > {DARK} unless on ({PORT_KEYS}) {ADMIN_DOWN}"
    )
    board.with_panel(
        with_link(
            bars(
                "Lowest receive margin",
                "The lanes with the lowest receive power above the minimum of their optics, in dB "
                "(needs the recording rules), without dark lanes and administratively down ports. The label "
                "is lane and port. Red: open Optics, clean both ends.",
                f"sort({port_named(f'bottomk(8, {here(margin)})')})",
                "{{lane}} · {{name}}",
                "dB",
                size=(10, 8),
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


def add_trends(board: dashboard.Dashboard) -> None:
    """Add utilization, errors, optical margins and the activity log."""
    _add_utilization(board)
    _add_errors(board)
    _add_margins(board)
    board.with_panel(
        graph(
            "Activity log",
            "Entries of the activity log by category, to find changes made shortly before a "
            "problem. The portal shows the complete entries; the exporter's log has their category,"
            " level and event.",
            [(increases("packetfabric_activity_events_total", "category"), "{{category}}")],
            "short",
            size=(7, 8),
            bars=True,
            step=COARSE,
            soft=(0, 1),
        )
    )
