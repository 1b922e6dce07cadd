"""The table of all ports in the dashboard Fleet."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.panels import DBM, GREEN, RED, UP_DOWN, YELLOW
from grafana.promql import (
    ALL,
    OPERATIONAL_UP,
    PORT_KEYS,
    busier,
    fold,
    here,
    port_named,
    port_traffic,
    port_utilization,
    threshold,
)
from grafana.tables import rows

FULL = threshold("portUtilization")
BUSIER = busier(port_utilization("receive"), port_utilization("transmit"))
"""The utilization of the busier direction."""
INFO = f"packetfabric_port_info{{{ALL}}}"


def _of_last_hour(metric: str) -> str:
    return here(fold(f"round(increase({metric}{{{ALL}}}[1h]))"))


def add_ports(board: dashboard.Dashboard) -> None:
    """Add the table of all ports."""
    board.with_panel(
        rows(
            "Ports",
            "All ports, those that are down first, then the busiest; click a name to open one. Red State: "
            "down; check receive power and errors. Red Utilization: close to its speed; check which circuit "
            "causes it. Errors and Flaps are of the last hour; the other values are means of ten minutes.",
            [
                (port_named(here(fold(INFO, f"{PORT_KEYS}, pop, speed"))), "", ""),
                (here(OPERATIONAL_UP), "State", "short"),
                (f"8 * {here(port_traffic('receive'))}", "Receive", "bps"),
                (f"8 * {here(port_traffic('transmit'))}", "Transmit", "bps"),
                (here(BUSIER), "Utilization", "percentunit"),
                (_of_last_hour("packetfabric_port_receive_unspecified_errors_total"), "Errors", "locale"),
                (_of_last_hour("packetfabric_port_carrier_transitions_total"), "Flaps", "locale"),
                (
                    here(f"min by ({PORT_KEYS}) (packetfabric_port_optical_receive_power_dbm{{{ALL}}})"),
                    "Receive power",
                    DBM,
                ),
            ],
            {"name": "Port", "port_circuit_id": "ID", "pop": "POP", "speed": "Speed", "account": "Account"},
            size=(24, 11),
            links=[("Port", "port", "var-port=${__data.fields.ID}")],
            colors={
                "Utilization": ((None, GREEN), (0.7, YELLOW), (FULL, RED)),
                # No red: whether they are many depends on the traffic.
                "Errors": ((None, GREEN), (1, YELLOW)),
                "Flaps": ((None, GREEN), (1, YELLOW), (threshold("portTransitions") + 1, RED)),
            },
            mappings={"State": UP_DOWN},
            sort=[("State", False), ("Utilization", True)],
            # The rest is for the names.
            widths={
                "ID": 190,
                "POP": 70,
                "Speed": 80,
                "State": 70,
                "Account": 90,
                "Receive": 95,
                "Transmit": 95,
                "Utilization": 100,
                "Errors": 80,
                "Flaps": 70,
                "Receive power": 125,
            },
        )
    )
