"""The dashboard Port: one port in detail."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard, table

from grafana.layout import circuit, new_dashboard
from grafana.panels import COARSE, GREEN, ORANGE, RED, UP_DOWN, YELLOW, graph, state_names, state_timeline
from grafana.port_lag import add_lag
from grafana.port_optics import add_optics
from grafana.port_stats import add_stats
from grafana.promql import (
    ALL,
    PORT,
    VC_KEYS,
    WAYS,
    current_state,
    fold,
    fold_ends,
    mean,
    per_million,
    port_traffic,
    port_utilization,
    rate,
    threshold,
    vc_named,
)
from grafana.tables import rows
from pf_exporter.schema.events import EVENTS

DIRECTIONS = {"rx": "receive", "tx": "transmit"}
RATE = "suffix:/s"
PROVISIONING = {
    "requested": YELLOW,
    "provisioning": YELLOW,
    "disabled": ORANGE,
    "deleted": RED,
    "other": YELLOW,
    "active": GREEN,
}
"""The colors of the states of the provisioning."""


_ACRONYMS = ("crc", "fifo", "l2", "l3", "mac", "mtu")


def _legend(field: str) -> str:
    """Return the name of a field for people, such as "receive L2 channel"."""
    direction, *words = field.split("_")
    return " ".join([DIRECTIONS[direction], *(word.upper() if word in _ACRONYMS else word for word in words)])


def _error_queries() -> list[tuple[str, str]]:
    """Return a query per family of errors."""
    return [
        (fold(rate(family.name)), _legend(field))
        for field, family in EVENTS["port|errors"].fields.items()
        if field != "tx_carrier"
    ]


def _packet_queries() -> list[tuple[str, str]]:
    families = EVENTS["port|etherstats"].fields
    return [
        (fold(rate(families[f"{prefix}_{field}"].name)), f"{kind} {way}")
        for prefix, way in DIRECTIONS.items()
        for field, kind in (("unicast", "unicast"), ("multicasts", "multicast"), ("broadcasts", "broadcast"))
    ]


def _mac_queries(*increases: str) -> list[tuple[str, str]]:
    return [
        (fold(rate(family.name)), _legend(field))
        for field, family in EVENTS["port|etherstats"].fields.items()
        if field[3:] in increases
    ]


def _circuits() -> table.Panel:
    def now(direction: str) -> str:
        used = mean(f"packetfabric_vc_{direction}_bytes_per_second", PORT, "10m")
        return f"8 * {vc_named(fold_ends(used))}"

    ends = f"packetfabric_vc_receive_bytes_per_second{{{PORT}}}"
    limit = fold(
        f"packetfabric_vc_receive_limit_bytes_per_second{{{ALL}}} and on ({VC_KEYS}) {ends}", VC_KEYS
    )
    state = fold(f"packetfabric_vc_connected{{{ALL}}} and on ({VC_KEYS}) {ends}", VC_KEYS)
    return rows(
        "Circuits",
        "The virtual circuits on this port, the busiest first; click a name to open it. Empty: "
        "none is subscribed, or the port is a LAG member and its circuits are on the LAG.",
        [
            (now("receive"), "Receive", "bps"),
            (now("transmit"), "Transmit", "bps"),
            (f"8 * {limit}", "Limit", "bps"),
            (state, "State", "short"),
        ],
        {"name": "Circuit", "vc_circuit_id": "ID", "vlan": "VLAN"},
        size=(24, 6),
        links=[("Circuit", "vc", "var-vc=${__data.fields.ID}")],
        mappings={"State": UP_DOWN},
        sort=[("Receive", True)],
        widths={"Circuit": 300, "ID": 220},
    )


def _add_traffic(board: dashboard.Dashboard) -> None:
    board.with_panel(
        graph(
            "Traffic",
            "Received, and transmitted below the axis; the dotted lines are the same time a week ago. No "
            "traffic: check State.",
            [
                (f"8 * {port_traffic(way, '$__rate_interval', PORT, at)}", f"{when}{way}")
                for at, when in (("", ""), (" offset 1w", "last week "))
                for way in WAYS
            ],
            "bps",
            size=(16, 9),
            below=True,
        )
    )
    board.with_panel(
        graph(
            "Utilization by direction",
            "Ratio of the speed. Above the red line, packets are dropped at peaks: move or limit a circuit, "
            "or order capacity.",
            [(port_utilization(way, "$__rate_interval", PORT), way) for way in WAYS],
            "percentunit",
            size=(8, 9),
            floor=0,
            soft=(0, 0.1),
            at=((None, "transparent"), (threshold("portUtilization"), RED)),
        )
    )


def _add_states(board: dashboard.Dashboard) -> None:
    board.with_panel(
        state_timeline(
            "State over time",
            "Operational and administrative state, and provisioning, as polled. Provisioning other than "
            "active: the port is being delivered or deleted, and PacketFabric can tell why.",
            [
                (fold(f"packetfabric_port_operational_up{{{PORT}}}"), "State"),
                (fold(f"packetfabric_port_admin_up{{{PORT}}}"), "Admin state"),
                (
                    current_state("packetfabric_port_state", list(PROVISIONING), select=PORT, first=2),
                    "Provisioning",
                ),
            ],
            size=(24, 5),
            mappings=[*UP_DOWN, *state_names(list(PROVISIONING.items()), 2)],
            named=True,
            empty="no inventory",
        )
    )


def _add_packets(board: dashboard.Dashboard) -> None:
    board.with_panel(
        graph(
            "Packets by destination",
            "Unicast, multicast and broadcast packets received, and transmitted below the axis. "
            "Increasing broadcast means a loop or a misconfigured neighbour.",
            _packet_queries(),
            "pps",
            size=(12, 8),
            below=True,
            step=COARSE,
            empty="a LAG: see its members",
        )
    )


def _add_errors(board: dashboard.Dashboard) -> None:
    board.with_panel(
        graph(
            "Errors per million packets",
            "Damaged or dropped frames by direction, per million packets of the last hour, so that a quiet "
            "and a busy port compare. Above 1: check the types of error below. Empty: almost no packets.",
            [
                (
                    per_million(
                        f"packetfabric_port_{direction}_unspecified_errors_total",
                        f"packetfabric_port_{direction}_packets_total",
                        "1h",
                        PORT,
                    ),
                    direction,
                )
                for direction in WAYS
            ],
            "short",
            size=(12, 8),
            floor=0,
            soft=(0, 1),
            empty="almost no packets",
        )
    )
    board.with_panel(
        graph(
            "Errors by type",
            "Frames per second; types overlap, so never sum them. Framing: "
            "damaged on the link, check the receive power. Drop: a full queue, check Traffic. MTU: "
            "the far end sends packets that are too large.",
            _error_queries(),
            RATE,
            size=(12, 9),
            legend=("mean", "max"),
            floor=0,
            soft=(0, 0.1),
            step=COARSE,
        )
    )
    board.with_panel(
        graph(
            "MAC errors",
            "Frames per second: damaged, too long, too short, pause frames. Errors by type counts the same "
            "damaged frames.",
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
            step=COARSE,
            empty="a LAG: see its members",
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
        alerts='account=~"$account|", port_circuit_id="$port"',
    )
    add_stats(board)
    _add_traffic(board)
    _add_states(board)
    _add_packets(board)
    _add_errors(board)
    add_optics(board)
    board.with_panel(_circuits())
    add_lag(board)
    return board
