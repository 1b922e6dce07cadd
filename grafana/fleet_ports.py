"""The table of all ports in the dashboard Fleet, and the expressions about ports."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.panels import GREEN, RED, UP_DOWN, YELLOW
from grafana.promql import ALL, CAPACITY, TARGET, threshold
from grafana.tables import rows

PORT_KEYS = f"{TARGET}, port_circuit_id"
FULL = threshold("portUtilisation")
ADMIN_DOWN = f"packetfabric_port_admin_up{{{ALL}}} == 0"
OPERATIONAL_UP = f"packetfabric_port_operational_up{{{ALL}}}"


def _utilisation(direction: str) -> str:
    used = f"avg_over_time(packetfabric_port_{direction}_bytes_per_second{{{ALL}}}[10m])"
    return f"{used}\n  / on ({PORT_KEYS}) {CAPACITY}"


BUSIER = f"""max by ({PORT_KEYS}) (
  label_replace({_utilisation("receive")}, "way", "in", "", "")
  or label_replace({_utilisation("transmit")}, "way", "out", "", "")
)"""
"""The utilisation of the busier direction."""


def add_ports(board: dashboard.Dashboard) -> None:
    """Add the table of all ports."""
    board.with_panel(
        rows(
            "Ports",
            "All ports, the busiest first; click a name to open it. Red State: down; check receive "
            "power and errors. Red Utilisation: close to its speed; check which circuit causes it. "
            "Errors and Flaps are of the last hour.",
            [
                (f"max by ({PORT_KEYS}, description, pop, speed) (packetfabric_port_info{{{ALL}}})", "", ""),
                (f"max by ({PORT_KEYS}) ({OPERATIONAL_UP})", "State", "short"),
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
                (BUSIER, "Utilisation", "percentunit"),
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
                    "Rx power",
                    "dBm",
                ),
            ],
            {"description": "Port", "port_circuit_id": "ID", "pop": "POP", "speed": "Speed"},
            size=(24, 11),
            link=("Port", "port", "var-port=${__data.fields.ID}"),
            colors={
                "Utilisation": ((None, GREEN), (0.7, YELLOW), (FULL, RED)),
                "Errors": ((None, GREEN), (1, YELLOW), (threshold("portErrorsMinimum"), RED)),
                "Flaps": ((None, GREEN), (1, YELLOW), (threshold("portTransitions") + 1, RED)),
            },
            mappings={"State": UP_DOWN},
            sort=[("State", False), ("Utilisation", True)],
            widths={"Port": 230, "ID": 190, "POP": 70, "Speed": 80, "State": 70},
        )
    )
