"""The dashboard Virtual circuit: does what goes in at one end come out at the other?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.layout import board, circuit
from grafana.panels import GREEN, RED, UP_DOWN, YELLOW, across, graph, number
from grafana.promql import TARGET, VC, bits, port_named, rate, threshold
from grafana.tables import rows

KEYS = f"{TARGET}, vc_circuit_id"


def _share(direction: str) -> str:
    return (
        f"packetfabric_vc_{direction}_bytes_per_second{{{VC}}}\n"
        f"  / on ({KEYS}) group_left () (packetfabric_vc_{direction}_limit_bytes_per_second > 0)"
    )


def _heads(made: dashboard.Dashboard) -> None:
    full = ((None, GREEN), (0.8, YELLOW), (threshold("vc_utilisation"), RED))
    across(
        made,
        number(
            "State",
            "Connected or not, as of the last look at the list. Red: is one of its ports down too?",
            f"max(packetfabric_vc_connected{{{VC}}})",
            colors=((None, RED), (1, GREEN)),
            mappings=UP_DOWN,
            empty="no inventory",
        ),
        number(
            "Class",
            "What kind of circuit it is.",
            f"max by (service_type, service_class) (packetfabric_vc_info{{{VC}}})",
            legend="{{service_type}} {{service_class}}",
            text=True,
        ),
        number(
            "Limit",
            "The lower of its two rate limits.",
            f"8 * min(packetfabric_vc_receive_limit_bytes_per_second{{{VC}}}"
            f" or packetfabric_vc_transmit_limit_bytes_per_second{{{VC}}})",
            "bps",
        ),
        number(
            "In use",
            "Share of the limit, at the busier end and direction. Red: more is dropped; find who sends or "
            "order more.",
            f"max({_share('receive')} or {_share('transmit')})",
            "percentunit",
            colors=full,
            decimals=1,
        ),
        number(
            "Came up short",
            "Share of the packets of the last hour that went in at one end and did not come out at the "
            "other. Ends are "
            "sampled apart, so that a little is noise. Red: open the ports at its ends and look for drops.",
            f"clamp_min(1 - sum(rate(packetfabric_vc_transmit_packets_total{{{VC}}}[1h]))"
            f" / sum(rate(packetfabric_vc_receive_packets_total{{{VC}}}[1h])), 0)",
            "percentunit",
            colors=((None, GREEN), (0.001, YELLOW), (0.01, RED)),
            decimals=2,
        ),
        number(
            "Last heard of",
            "Since the network last said anything of the end that is silent longest. Red: is that end "
            "another's?",
            f"clamp_min(time() - min(packetfabric_vc_last_event_timestamp_seconds{{{VC}}}), 0)",
            "s",
            colors=((None, GREEN), (300, YELLOW), (threshold("stream_silence"), RED)),
            decimals=0,
        ),
    )


def build() -> dashboard.Dashboard:
    """The whole dashboard."""
    made = board(
        "vc",
        "Virtual circuit",
        "One virtual circuit and its two ends.",
        since="now-24h",
        variables=[circuit("vc", "Circuit")],
    )
    _heads(made)
    ends = [
        (port_named(bits("packetfabric_vc_receive_bytes_total", VC)), "{{name}} in"),
        (port_named(bits("packetfabric_vc_transmit_bytes_total", VC)), "{{name}} out"),
    ]
    limits = [
        (f"8 * max(packetfabric_vc_receive_limit_bytes_per_second{{{VC}}})", "limit"),
        (f"8 * max(packetfabric_vc_transmit_limit_bytes_per_second{{{VC}}})", "limit out"),
    ]
    made.with_panel(
        graph(
            "Traffic at both ends",
            "What each end takes in, and gives out below the axis; dashed are the limits. At the dashes: "
            "more is "
            "dropped. What one end takes in, the other gives out.",
            [*ends, *limits],
            "bps",
            size=(24, 10),
            below=True,
        )
    )
    made.with_panel(
        graph(
            "Share of the limit",
            "By end and direction. Red line: it is at its limit, and more is dropped.",
            [
                (port_named(_share("receive")), "{{name}} takes"),
                (port_named(_share("transmit")), "{{name}} gives"),
            ],
            "percentunit",
            size=(12, 8),
            floor=0,
            soft=(0, 0.1),
            at=((None, "transparent"), (threshold("vc_utilisation"), RED)),
        )
    )
    made.with_panel(
        graph(
            "Packets",
            "What each end takes in, and gives out below the axis. Many packets and few bits: small packets.",
            [
                (port_named(rate("packetfabric_vc_receive_packets_total", VC)), "{{name}} in"),
                (port_named(rate("packetfabric_vc_transmit_packets_total", VC)), "{{name}} out"),
            ],
            "pps",
            size=(12, 8),
            below=True,
        )
    )
    received = f"sum({rate('packetfabric_vc_receive_packets_total', VC)})"
    sent = f"sum({rate('packetfabric_vc_transmit_packets_total', VC)})"
    made.with_panel(
        graph(
            "Loss hint",
            "Share of the packets that went in and did not come out. Around 0 it is noise, for ends are "
            "sampled "
            "apart. Above for longer: look for drops on both ports.",
            [(f"1 - {sent} / ({received} > 0)", "missing")],
            "percentunit",
            size=(8, 8),
            soft=(-0.02, 0.02),
            at=((None, "transparent"), (0.01, RED)),
        )
    )
    total = f"sum without (port_circuit_id, vlan) ({bits('packetfabric_vc_receive_bytes_total', VC)})"
    made.with_panel(
        graph(
            "Asymmetry",
            "The share of all that goes in that each end sends. Half each is symmetric; one end at nearly "
            "all of it "
            "is a copy or a backup, or traffic that comes back another way.",
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
    per = f"max by (port_circuit_id, vlan, name) ({port_named(_share('receive'))})"
    heard = f"packetfabric_vc_last_event_timestamp_seconds{{{VC}}}"
    made.with_panel(
        rows(
            "Ends",
            "The ports it ends on; a click opens one. One row only: the other end is another customer's or a "
            "cloud.",
            [
                (per, "Takes", "percentunit"),
                (
                    f"max by (port_circuit_id) (packetfabric_port_operational_up and on ({TARGET}, "
                    f"port_circuit_id) "
                    f"{heard})",
                    "State",
                    "short",
                ),
            ],
            {"name": "Port", "port_circuit_id": "Id", "vlan": "VLAN"},
            size=(8, 8),
            link=("Port", "port", "var-port=${__data.fields.Id}"),
            mappings={"State": UP_DOWN},
            widths={"Port": 165, "Id": 170},
        )
    )
    return made
