"""The dashboard Fleet: is anything wrong, and where?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.layout import board
from grafana.optics import MARGINS
from grafana.panels import (
    COARSE,
    GREEN,
    ORANGE,
    RED,
    UP_DOWN,
    YELLOW,
    across,
    bars,
    graph,
    linked,
    number,
    timeline,
)
from grafana.promql import ALL, TARGET, bits, counts, port_named, recorded, threshold
from grafana.tables import rows

PORT_KEYS = f"{TARGET}, port_circuit_id"
CAPACITY = recorded("port:packetfabric_capacity:bytes_per_second")
FULL = threshold("port_utilisation")
TO_PORT = ("Open port", "port", "var-port=${__field.labels.port_circuit_id}")


def _speed_share(direction: str) -> str:
    used = f"avg_over_time(packetfabric_port_{direction}_bytes_per_second{{{ALL}}}[10m])"
    return f"{used}\n  / on ({PORT_KEYS}) {CAPACITY}"


SHADES = (
    *((None, "#1d3427"), (0.05, "#254f35"), (0.1, "#2f6b43"), (0.2, "#4c8f4f"), (0.3, "#8aa84b")),
    *((0.5, YELLOW), (0.7, ORANGE), (FULL, RED)),
)

BUSIER = f"""max by ({PORT_KEYS}) (
  label_replace({_speed_share("receive")}, "way", "in", "", "")
  or label_replace({_speed_share("transmit")}, "way", "out", "", "")
)"""
"""The busier direction's share of the speed."""


def _talkers(direction: str) -> str:
    # A LAG and its members count the same traffic.
    traffic = (
        f"8 * avg_over_time(packetfabric_port_{direction}_bytes_per_second{{{ALL}}}[10m])\n"
        f'  unless on ({PORT_KEYS}) packetfabric_port_info{{lag!=""}}'
    )
    return f"sort_desc(topk(8, {port_named(traffic)}))"


def build() -> dashboard.Dashboard:
    """The whole dashboard."""
    made = board(
        "fleet", "Fleet", "All ports and virtual circuits: is anything wrong, and where?", since="now-24h"
    )
    admin = f"packetfabric_port_admin_up{{{ALL}}} == 0"
    up = f"packetfabric_port_operational_up{{{ALL}}}"
    bad = ((None, GREEN), (1, RED))
    across(
        made,
        number(
            "Streams down",
            "Accounts without a living event stream. Red: nothing below is current; open Exporter.",
            f"count(packetfabric_up{{{ALL}}} == 0) or 0 * count(packetfabric_up{{{ALL}}})",
            colors=bad,
            empty="no exporter",
        ),
        number(
            "Ports up",
            "Ports, LAGs and members that are up, as of the last look at the list.",
            f"count({up} == 1)",
            empty="no inventory",
        ),
        number(
            "Ports down",
            "Ports that are down though nobody switched them off. Red: find them in the table, open each.",
            f"count({up} == 0 unless on ({PORT_KEYS}) {admin}) or 0 * count({up})",
            colors=bad,
            empty="no inventory",
        ),
        number(
            "Circuits connected",
            "Virtual circuits that are connected, as of the last look at the list.",
            f"count(packetfabric_vc_connected{{{ALL}}} == 1)",
        ),
        number(
            "Circuits down",
            "Virtual circuits that are not connected. Red: open Virtual circuit; is a port down too?",
            f"count(packetfabric_vc_connected{{{ALL}}} == 0) or 0 * "
            f"count(packetfabric_vc_connected{{{ALL}}})",
            colors=bad,
        ),
        number(
            "Alerts firing",
            "Alerts of prometheus/alerts.yml, if it is loaded. Red: docs/runbook.md says what to do.",
            'count(ALERTS{alertname=~"PacketFabric.+", alertstate="firing"}) or vector(0)',
            colors=((None, GREEN), (1, ORANGE)),
        ),
    )
    made.with_panel(
        rows(
            "Ports",
            "Every port, the busiest first; a click on its name opens it. Red in State: down, see its light "
            "and "
            "errors. Red in Busy: near its speed, see which circuit it is. Errors and Resets are of the last "
            "hour.",
            [
                (f"max by ({PORT_KEYS}, description, pop, speed) (packetfabric_port_info{{{ALL}}})", "", ""),
                (f"max by ({PORT_KEYS}) ({up})", "State", "short"),
                (
                    f"8 * max by ({PORT_KEYS}) (packetfabric_port_receive_bytes_per_second{{{ALL}}})",
                    "In",
                    "bps",
                ),
                (
                    f"8 * max by ({PORT_KEYS}) (packetfabric_port_transmit_bytes_per_second{{{ALL}}})",
                    "Out",
                    "bps",
                ),
                (BUSIER, "Busy", "percentunit"),
                (
                    f"max by ({PORT_KEYS}) ("
                    f"round(increase(packetfabric_port_receive_unspecified_errors_total{{{ALL}}}[1h])))",
                    "Errors",
                    "short",
                ),
                (
                    f"max by ({PORT_KEYS}) "
                    f"(round(increase(packetfabric_port_carrier_transitions_total{{{ALL}}}[1h])))",
                    "Flaps",
                    "short",
                ),
                (
                    f"min by ({PORT_KEYS}) (packetfabric_port_optical_receive_power_dbm{{{ALL}}})",
                    "Light",
                    "dBm",
                ),
            ],
            {"description": "Port", "port_circuit_id": "Id", "pop": "POP", "speed": "Speed"},
            size=(24, 11),
            link=("Port", "port", "var-port=${__data.fields.Id}"),
            colors={
                "Busy": ((None, GREEN), (0.7, YELLOW), (FULL, RED)),
                "Errors": ((None, GREEN), (1, YELLOW), (threshold("port_errors"), RED)),
                "Flaps": ((None, GREEN), (1, YELLOW), (threshold("port_transitions") + 1, RED)),
            },
            mappings={"State": UP_DOWN},
            sort=[("State", False), ("Busy", True)],
            widths={"Port": 230, "Id": 190, "POP": 70, "Speed": 80, "State": 70},
        )
    )
    made.with_panel(
        graph(
            "Traffic of all virtual circuits",
            "What enters the network at all ends, and what leaves it (below). They part where traffic is "
            "lost.",
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
        made.with_panel(
            linked(
                bars(
                    f"Top talkers {word}",
                    "Ports with the most traffic now, LAGs for their members. A surprise here: open the port "
                    "and "
                    "see which circuit it is.",
                    _talkers(direction),
                    "{{name}}",
                    "bps",
                    low=0,
                ),
                *TO_PORT,
            )
        )
    made.with_panel(
        linked(
            timeline(
                "Utilisation by port",
                "The busier direction's share of the speed, a LAG's being that of its members together. Red: "
                "full; "
                "move or limit a circuit, or order more.",
                [(port_named(BUSIER), "{{name}}")],
                "percentunit",
                size=(24, 11),
                colors=SHADES,
                step=COARSE,
            ),
            *TO_PORT,
        )
    )
    made.with_panel(
        linked(
            bars(
                "Ports with errors",
                "Damaged or dropped frames received, in the time shown. Anything here that grows: open the "
                "port, "
                "see the kind, then its light.",
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
    made.with_panel(
        linked(
            bars(
                "Least margin of light",
                "The lanes with the least light above what their optics can hear, in dB (with the recording "
                "rules), of ports that nobody switched off. Red: open Optics, clean both ends.",
                "sort(bottomk(8, "
                + port_named(f"lane:packetfabric_receive_margin:db{{{ALL}}} unless on ({PORT_KEYS}) {admin}")
                + "))",
                "{{name}} · {{lane}}",
                "dB",
                size=(8, 8),
                low=0,
                high=20,
                colors=MARGINS,
                empty="no rules",
            ),
            "Open optics",
            "optics",
            "var-port=${__field.labels.port_circuit_id}",
        )
    )
    made.with_panel(
        graph(
            "Activity",
            "Entries of the activity log by category. Did somebody change something just before it broke? "
            "What "
            "each entry says is in the portal; the exporter's log has its category, level and event.",
            [(counts("packetfabric_activity_events_total", "category"), "log {{category}}")],
            "short",
            size=(8, 8),
            bars=True,
            step=COARSE,
            soft=(0, 1),
        )
    )
    return made
