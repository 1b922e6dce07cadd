"""The dashboard Virtual circuit: one virtual circuit and its two ends."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.layout import circuit, new_dashboard
from grafana.panels import COARSE, GREEN, ORANGE, RED, UP_DOWN, YELLOW, graph, state_names, state_timeline
from grafana.promql import (
    ALL,
    PORT_KEYS,
    VC,
    VC_KEYS,
    WAYS,
    current_state,
    end_of,
    fold,
    fold_ends,
    loss,
    mean,
    port_named,
    port_named_in_graph,
    threshold,
    vc_utilization,
)
from grafana.tables import rows
from grafana.vc_stats import add_stats

PROVISIONING = {
    "pending": YELLOW,
    "requested": YELLOW,
    "requestsent": YELLOW,
    "requestaccepted": YELLOW,
    "updaterequested": YELLOW,
    "updatefailed": RED,
    "inactive": ORANGE,
    "other": YELLOW,
    "active": GREEN,
}
"""The colors of the states of the provisioning."""


def _ends(metric: str, at: str = "") -> str:
    return port_named_in_graph(fold_ends(mean(metric, VC, at=at)))


def _add_traffic(board: dashboard.Dashboard) -> None:
    ends = [
        (f"8 * {_ends(f'packetfabric_vc_{way}_bytes_per_second')}", f"{{{{name}}}} {way}") for way in WAYS
    ]
    board.with_panel(
        graph(
            "Traffic at both ends",
            "Received by each end, and transmitted below the axis. What one end receives, the other "
            "transmits.",
            ends,
            "bps",
            size=(24, 10),
            below=True,
        )
    )
    board.with_panel(
        graph(
            "Utilization by end",
            "Ratio of the rate limit, by end and direction. Traffic above the limit is dropped; the red line "
            "is the threshold of the alert.",
            [
                (port_named_in_graph(vc_utilization(way, "$__rate_interval", VC)), f"{{{{name}}}} {way}")
                for way in WAYS
            ],
            "percentunit",
            size=(12, 8),
            floor=0,
            soft=(0, 0.1),
            at=((None, "transparent"), (threshold("vcUtilization"), RED)),
        )
    )
    board.with_panel(
        graph(
            "Packets",
            "Received by each end, and transmitted below the axis. Many packets with little traffic are "
            "small.",
            [(_ends(f"packetfabric_vc_{way}_packets_per_second"), f"{{{{name}}}} {way}") for way in WAYS],
            "pps",
            size=(12, 8),
            below=True,
        )
    )


def _add_states(board: dashboard.Dashboard) -> None:
    ports = (
        f"{fold(f'packetfabric_port_operational_up{{{ALL}}}')}\n"
        f"and on ({PORT_KEYS}) ({end_of('a', VC)} or {end_of('z', VC)})"
    )
    board.with_panel(
        state_timeline(
            "State over time",
            "Whether the circuit is connected and its ports are up, and its provisioning, as polled. The "
            "circuit down and its ports up: contact PacketFabric. Provisioning other than active: a request "
            "waits for an answer, or an update failed.",
            [
                (fold(f"packetfabric_vc_connected{{{VC}}}", VC_KEYS), "Circuit"),
                (current_state("packetfabric_vc_state", list(PROVISIONING), VC_KEYS, VC, 2), "Provisioning"),
                (port_named_in_graph(ports), "{{name}}"),
            ],
            size=(12, 7),
            mappings=[*UP_DOWN, *state_names(list(PROVISIONING.items()), 2)],
            named=True,
        )
    )


def _add_comparison(board: dashboard.Dashboard) -> None:
    board.with_panel(
        graph(
            "Packet loss by direction",
            "Ratio of packets that entered at one end and did not leave at the other, per direction. Values "
            "around 0 are noise, because the ends are sampled at different times. If it stays above 0: check "
            "both ports for drops. Empty: only one end reports.",
            [
                (f"max({loss('a', 'z', '$__rate_interval', VC)})", "A to Z"),
                (f"max({loss('z', 'a', '$__rate_interval', VC)})", "Z to A"),
            ],
            "percentunit",
            size=(12, 8),
            floor=0,
            soft=(0, 0.02),
            at=((None, "transparent"), (0.01, RED)),
            step=COARSE,
            empty="only one end reports",
        )
    )
    received = fold_ends(mean("packetfabric_vc_receive_bytes_per_second", VC))
    board.with_panel(
        graph(
            "Share of each end",
            "The share of each end in the traffic received at both ends. 50 % is symmetric. Close "
            "to 100 %: a copy or a backup, or asymmetric routing, or only one end reports.",
            [
                (
                    port_named_in_graph(
                        f"{received}\n  / on ({VC_KEYS}) group_left () (sum by ({VC_KEYS}) ({received}) > 0)"
                    ),
                    "{{name}}",
                )
            ],
            "percentunit",
            size=(12, 8),
            stack=True,
            floor=0,
            soft=(0, 1),
        )
    )


def _add_ends(board: dashboard.Dashboard) -> None:
    def traffic(direction: str) -> str:
        used = mean(f"packetfabric_vc_{direction}_bytes_per_second", VC, "10m")
        return f"8 * {port_named(fold_ends(used))}"

    state = f"packetfabric_port_operational_up{{{ALL}}} and on ({PORT_KEYS})"
    board.with_panel(
        rows(
            "Ends",
            "The ports at its ends; click a name to open one. One row only: the other end belongs "
            "to another customer or to a cloud provider.",
            [
                (traffic("receive"), "Receive", "bps"),
                (traffic("transmit"), "Transmit", "bps"),
                (fold(f"{state} packetfabric_vc_last_event_timestamp_seconds{{{VC}}}"), "State", "short"),
            ],
            {"name": "Port", "port_circuit_id": "ID", "vlan": "VLAN"},
            size=(12, 7),
            links=[("Port", "port", "var-port=${__data.fields.ID}")],
            mappings={"State": UP_DOWN},
            widths={"Port": 260, "ID": 165, "VLAN": 60, "State": 65},
        )
    )


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    board = new_dashboard(
        "vc",
        "Virtual circuit",
        "One virtual circuit: state, traffic and packet loss between its two ends.",
        since="now-24h",
        variables=[circuit("vc", "Circuit")],
        alerts='account=~"$account|", vc_circuit_id="$vc"',
    )
    add_stats(board)
    _add_traffic(board)
    _add_states(board)
    _add_ends(board)
    _add_comparison(board)
    return board
