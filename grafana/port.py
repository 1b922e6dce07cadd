"""The dashboard Port: one port in detail."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard, table

from grafana.layout import circuit, new_dashboard
from grafana.panels import (
    GREEN,
    ORANGE,
    RED,
    UP_DOWN,
    YELLOW,
    add_stat_row,
    graph,
    stat_panel,
    state_timeline,
)
from grafana.port_optics import add_optics
from grafana.promql import ALL, CAPACITY, PORT, TARGET, bits, rate, threshold, vc_named
from grafana.tables import rows
from pf_exporter.schema.events import EVENTS

DIRECTIONS = {"rx": "in", "tx": "out"}
PORT_KEYS = f"{TARGET}, port_circuit_id"
RATE = "suffix:/s"

SPEED = f"8 * max({CAPACITY} and on ({PORT_KEYS}) packetfabric_port_info{{{PORT}}})"


def _utilisation(direction: str) -> str:
    return f"packetfabric_port_{direction}_bytes_per_second{{{PORT}}} / on ({PORT_KEYS}) {CAPACITY}"


def _error_queries() -> list[tuple[str, str]]:
    """Return a query per family of errors, with the name of its field as legend."""
    return [
        (rate(family.name), field.replace("_", " "))
        for field, family in EVENTS["port|errors"].fields.items()
        if field != "tx_carrier"
    ]


def _mac_queries(*increases: str) -> list[tuple[str, str]]:
    return [
        (rate(family.name), f"{field[3:].replace('_', ' ')} {DIRECTIONS[field[:2]]}")
        for field, family in EVENTS["port|etherstats"].fields.items()
        if field[3:] in increases
    ]


def _add_stats(board: dashboard.Dashboard) -> None:
    full = ((None, GREEN), (0.7, YELLOW), (threshold("portUtilisation"), RED))
    add_stat_row(
        board,
        stat_panel(
            "State",
            "Operational state, as of the last poll of the inventory. Red: check the receive power "
            "below; none means a problem with the fibre or the far end.",
            f"max(packetfabric_port_operational_up{{{PORT}}})",
            colors=((None, RED), (1, GREEN)),
            mappings=UP_DOWN,
            empty="no inventory",
        ),
        stat_panel(
            "Admin state",
            "Administrative state. Orange: administratively down, so that no alert fires for this port.",
            f"max(packetfabric_port_admin_up{{{PORT}}})",
            colors=((None, ORANGE), (1, GREEN)),
            mappings=UP_DOWN,
            empty="no inventory",
        ),
        stat_panel(
            "POP",
            "The point of presence of the port.",
            f"max by (pop, site) (packetfabric_port_info{{{PORT}}})",
            legend="{{pop}}",
            text=True,
        ),
        stat_panel(
            "Speed", "The speed of a LAG is the sum of its members.", SPEED, "bps", empty="no inventory"
        ),
        *(
            stat_panel(
                f"Utilisation, {word}",
                "Ratio of the speed. Red: saturated, packets are dropped; check which circuit causes it.",
                f"max({_utilisation(direction)})",
                "percentunit",
                colors=full,
                decimals=1,
            )
            for direction, word in (("receive", "in"), ("transmit", "out"))
        ),
        stat_panel(
            "Flaps, 24 h",
            "Carrier transitions in the last 24 hours. Red: clean and reseat connectors, check the "
            "receive power.",
            f"max(round(increase(packetfabric_port_carrier_transitions_total{{{PORT}}}[1d])))",
            colors=((None, GREEN), (1, YELLOW), (threshold("portTransitions") + 1, RED)),
        ),
        stat_panel(
            "Last event",
            "Time since the last event of this port. Red: check whether the port still exists, then"
            " open Exporter.",
            f"clamp_min(time() - max(packetfabric_port_last_event_timestamp_seconds{{{PORT}}}), 0)",
            "s",
            colors=((None, GREEN), (300, YELLOW), (threshold("silence"), RED)),
            decimals=0,
        ),
    )


def _circuits() -> table.Panel:
    keys = f"{TARGET}, vc_circuit_id"

    def now(direction: str) -> str:
        metric = f"packetfabric_vc_{direction}_bytes_per_second{{{PORT}}}"
        return f"8 * max by (vc_circuit_id, vlan, name) ({vc_named(metric)})"

    limit = f"8 * max by (vc_circuit_id) (packetfabric_vc_receive_limit_bytes_per_second{{{ALL}}}" + (
        f" and on ({keys}) packetfabric_vc_receive_bytes_per_second{{{PORT}}})"
    )
    return rows(
        "Circuits",
        "The virtual circuits on this port, the busiest first; click a name to open it. Empty: "
        "none is subscribed, or the port is a LAG member and its circuits are on the LAG.",
        [(now("receive"), "In", "bps"), (now("transmit"), "Out", "bps"), (limit, "Limit", "bps")],
        {"name": "Circuit", "vc_circuit_id": "ID", "vlan": "VLAN"},
        size=(24, 6),
        link=("Circuit", "vc", "var-vc=${__data.fields.ID}"),
        sort=[("In", True)],
    )


def _add_traffic(board: dashboard.Dashboard) -> None:
    board.with_panel(
        graph(
            "Traffic",
            "Received, and transmitted below the axis; the dashed lines are the speed. No traffic: "
            "check State.",
            [
                (f"sum({bits('packetfabric_port_receive_bytes_total')})", "in"),
                (f"sum({bits('packetfabric_port_transmit_bytes_total')})", "out"),
                (SPEED, "speed"),
                (SPEED, "speed out"),
            ],
            "bps",
            size=(16, 9),
            below=True,
        )
    )
    board.with_panel(
        graph(
            "Packets by destination",
            "Unicast, multicast and broadcast packets received, and transmitted below the axis. "
            "Increasing broadcast means a loop or a misconfigured neighbour.",
            _mac_queries("unicast", "multicasts", "broadcasts"),
            "pps",
            size=(8, 9),
            below=True,
        )
    )
    board.with_panel(
        state_timeline(
            "State over time",
            "Operational and administrative state, as polled: up (green) or down (red).",
            [
                (f"max(packetfabric_port_operational_up{{{PORT}}})", "State"),
                (f"max(packetfabric_port_admin_up{{{PORT}}})", "Admin state"),
            ],
            size=(24, 4),
            mappings=UP_DOWN,
        )
    )


def _add_errors(board: dashboard.Dashboard) -> None:
    board.with_panel(
        graph(
            "Errors by type",
            "Frames per second by the API's names; types overlap, so never sum them. Framing: "
            "damaged on the link, check the receive power. Drop: a full queue, check Traffic. MTU: "
            "the far end sends packets that are too large.",
            _error_queries(),
            RATE,
            size=(12, 9),
            legend=("mean", "max"),
            floor=0,
            soft=(0, 0.1),
        )
    )
    board.with_panel(
        graph(
            "MAC errors",
            "Frames per second: damaged, too long, too short, pause frames. Errors by type counts "
            "the same damaged frames.",
            _mac_queries(
                "crc_errors",
                "code_violations",
                "fragment_frames",
                "jabber_frames",
                "oversized_frames",
                "mac_pause_frames",
                "fifo_errors",
            ),
            RATE,
            size=(12, 9),
            legend=("mean", "max"),
            floor=0,
            soft=(0, 0.1),
        )
    )


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    board = new_dashboard(
        "port",
        "Port",
        "One port, LAG or LAG member: traffic, errors, optical power and circuits.",
        since="now-24h",
        variables=[circuit("port", "Port")],
    )
    _add_stats(board)
    _add_traffic(board)
    _add_errors(board)
    add_optics(board)
    board.with_panel(_circuits())
    return board
