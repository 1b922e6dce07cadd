"""The dashboard Virtual circuit: one virtual circuit and its two ends."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.layout import circuit, new_dashboard
from grafana.panels import GREEN, RED, UP_DOWN, YELLOW, add_stat_row, graph, stat_panel
from grafana.promql import TARGET, VC, bits, port_named, rate, threshold
from grafana.tables import rows

KEYS = f"{TARGET}, vc_circuit_id"


def _utilisation(direction: str) -> str:
    return (
        f"packetfabric_vc_{direction}_bytes_per_second{{{VC}}}\n"
        f"  / on ({KEYS}) group_left () (packetfabric_vc_{direction}_limit_bytes_per_second > 0)"
    )


def _add_stats(board: dashboard.Dashboard) -> None:
    full = ((None, GREEN), (0.8, YELLOW), (threshold("vcUtilisation"), RED))
    add_stat_row(
        board,
        stat_panel(
            "State",
            "Whether it is connected, as of the last poll of the inventory. Red: check whether one "
            "of its ports is down.",
            f"max(packetfabric_vc_connected{{{VC}}})",
            colors=((None, RED), (1, GREEN)),
            mappings=UP_DOWN,
            empty="no inventory",
        ),
        stat_panel(
            "Class",
            "Service type and class of the circuit.",
            f"max by (service_type, service_class) (packetfabric_vc_info{{{VC}}})",
            legend="{{service_type}} {{service_class}}",
            text=True,
        ),
        stat_panel(
            "Limit",
            "The lower of its two rate limits.",
            f"8 * min(packetfabric_vc_receive_limit_bytes_per_second{{{VC}}}"
            f" or packetfabric_vc_transmit_limit_bytes_per_second{{{VC}}})",
            "bps",
        ),
        stat_panel(
            "Utilisation",
            "Ratio of the rate limit, at the busier end and direction. Red: traffic above the limit"
            " is dropped; find the sender or order more bandwidth.",
            f"max({_utilisation('receive')} or {_utilisation('transmit')})",
            "percentunit",
            colors=full,
            decimals=1,
        ),
        stat_panel(
            "Loss, 1 h",
            "Ratio of packets of the last hour that were received at one end and not transmitted at"
            " the other. The ends are sampled at different times, so small values are noise. Red: "
            "check the ports at both ends for drops.",
            f"clamp_min(1 - sum(rate(packetfabric_vc_transmit_packets_total{{{VC}}}[1h]))"
            f" / sum(rate(packetfabric_vc_receive_packets_total{{{VC}}}[1h])), 0)",
            "percentunit",
            colors=((None, GREEN), (0.001, YELLOW), (0.01, RED)),
            decimals=2,
        ),
        stat_panel(
            "Last event",
            "Time since the last event of the end that has been silent longest. Red: check whether "
            "that end belongs to another customer.",
            f"clamp_min(time() - min(packetfabric_vc_last_event_timestamp_seconds{{{VC}}}), 0)",
            "s",
            colors=((None, GREEN), (300, YELLOW), (threshold("silence"), RED)),
            decimals=0,
        ),
    )


def _add_traffic(board: dashboard.Dashboard) -> None:
    ends = [
        (port_named(bits("packetfabric_vc_receive_bytes_total", VC)), "{{name}} in"),
        (port_named(bits("packetfabric_vc_transmit_bytes_total", VC)), "{{name}} out"),
    ]
    limits = [
        (f"8 * max(packetfabric_vc_receive_limit_bytes_per_second{{{VC}}})", "limit"),
        (f"8 * max(packetfabric_vc_transmit_limit_bytes_per_second{{{VC}}})", "limit out"),
    ]
    board.with_panel(
        graph(
            "Traffic at both ends",
            "Received by each end, and transmitted below the axis; the dashed lines are the rate "
            "limits, above which traffic is dropped. What one end receives, the other transmits.",
            [*ends, *limits],
            "bps",
            size=(24, 10),
            below=True,
        )
    )
    board.with_panel(
        graph(
            "Utilisation by end",
            "Ratio of the rate limit by end and direction. At the red line, traffic above the limit"
            " is dropped.",
            [
                (port_named(_utilisation("receive")), "{{name}} receive"),
                (port_named(_utilisation("transmit")), "{{name}} transmit"),
            ],
            "percentunit",
            size=(12, 8),
            floor=0,
            soft=(0, 0.1),
            at=((None, "transparent"), (threshold("vcUtilisation"), RED)),
        )
    )
    board.with_panel(
        graph(
            "Packets",
            "Received by each end, and transmitted below the axis. Many packets with few bits are "
            "small packets.",
            [
                (port_named(rate("packetfabric_vc_receive_packets_total", VC)), "{{name}} in"),
                (port_named(rate("packetfabric_vc_transmit_packets_total", VC)), "{{name}} out"),
            ],
            "pps",
            size=(12, 8),
            below=True,
        )
    )


def _add_comparison(board: dashboard.Dashboard) -> None:
    received = f"sum({rate('packetfabric_vc_receive_packets_total', VC)})"
    sent = f"sum({rate('packetfabric_vc_transmit_packets_total', VC)})"
    board.with_panel(
        graph(
            "Packet loss (estimate)",
            "Ratio of packets that were received and not transmitted. Values around 0 are noise, "
            "because the ends are sampled at different times. If it stays above 0: check both ports"
            " for drops.",
            [(f"1 - {sent} / ({received} > 0)", "missing")],
            "percentunit",
            size=(8, 8),
            soft=(-0.02, 0.02),
            at=((None, "transparent"), (0.01, RED)),
        )
    )
    total = f"sum without (port_circuit_id, vlan) ({bits('packetfabric_vc_receive_bytes_total', VC)})"
    board.with_panel(
        graph(
            "Asymmetry",
            "The share of each end in the traffic received at both ends. 50 % is symmetric. Close "
            "to 100 %: a copy or a backup, or asymmetric routing.",
            [
                (
                    port_named(
                        f"{bits('packetfabric_vc_receive_bytes_total', VC)}\n"
                        f"  / on ({KEYS}) group_left () ({total} > 0)"
                    ),
                    "{{name}}",
                )
            ],
            "percentunit",
            size=(8, 8),
            stack=True,
            floor=0,
            soft=(0, 1),
        )
    )


def _add_ends(board: dashboard.Dashboard) -> None:
    utilisation = f"max by (port_circuit_id, vlan, name) ({port_named(_utilisation('receive'))})"
    last_event = f"packetfabric_vc_last_event_timestamp_seconds{{{VC}}}"
    board.with_panel(
        rows(
            "Ends",
            "The ports at its ends; click a name to open one. One row only: the other end belongs "
            "to another customer or to a cloud provider.",
            [
                (utilisation, "Receive", "percentunit"),
                (
                    f"max by (port_circuit_id) (packetfabric_port_operational_up and on ({TARGET}, "
                    f"port_circuit_id) "
                    f"{last_event})",
                    "State",
                    "short",
                ),
            ],
            {"name": "Port", "port_circuit_id": "ID", "vlan": "VLAN"},
            size=(8, 8),
            link=("Port", "port", "var-port=${__data.fields.ID}"),
            mappings={"State": UP_DOWN},
            widths={"Port": 165, "ID": 170},
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
    )
    _add_stats(board)
    _add_traffic(board)
    _add_comparison(board)
    _add_ends(board)
    return board
