"""The table of all virtual circuits in the dashboard Fleet."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.panels import GREEN, RED, UP_DOWN, YELLOW
from grafana.promql import (
    ALL,
    CONNECTED,
    PORT_KEYS,
    VC_KEYS,
    busier,
    end_of,
    fold,
    fold_ends,
    loss,
    mean,
    names,
    one,
    threshold,
    vc_named,
    vc_utilization,
    vcs_here,
)
from grafana.tables import rows

BUSIEST_END = busier(vc_utilization("receive"), vc_utilization("transmit"), VC_KEYS)
LOSS_COLORS = ((None, GREEN), (0.001, YELLOW), (0.01, RED))


def _port_at(side: str) -> str:
    """Return a series per circuit with the name of the port at one end in the label ``a`` or ``z``."""
    named = f"{end_of(side)} * on ({PORT_KEYS}) group_left (name) ({names('port')})"
    at_end = fold(f'label_replace({named}, "{side}", "$1", "name", "(.+)")', f"{VC_KEYS}, {side}")
    return one(at_end, VC_KEYS)


def _circuits() -> str:
    """Return a series per circuit with its name and the names of its ports, as far as they belong to the "
    "account."""
    named = vc_named(fold(f"packetfabric_vc_info{{{ALL}}}", VC_KEYS))
    for side in ("a", "z"):
        named = (
            f"({named})\n * on ({VC_KEYS}) group_left ({side}) {_port_at(side)}\n or on ({VC_KEYS}) ({named})"
        )
    return vcs_here(named)


def _traffic(direction: str) -> str:
    used = fold_ends(mean(f"packetfabric_vc_{direction}_bytes_per_second", span="10m"))
    return vcs_here(f"8 * max by ({VC_KEYS}) ({used})")


def add_circuits(board: dashboard.Dashboard) -> None:
    """Add the table of all virtual circuits."""
    board.with_panel(
        rows(
            "Virtual circuits",
            "All virtual circuits with their ports, those that are down first; click a name to open one. "
            "An end without a name belongs to another customer or to a cloud provider. Loss is of the last "
            "hour, by direction, and empty if only one end reports: below 0.1 % it is noise.",
            [
                (_circuits(), "", ""),
                (vcs_here(CONNECTED), "State", "short"),
                (_traffic("receive"), "Receive", "bps"),
                (_traffic("transmit"), "Transmit", "bps"),
                (vcs_here(BUSIEST_END), "Utilization", "percentunit"),
                (vcs_here(loss("a", "z", "1h")), "Loss A to Z", "percentunit"),
                (vcs_here(loss("z", "a", "1h")), "Loss Z to A", "percentunit"),
            ],
            {
                "name": "Circuit",
                "vc_circuit_id": "ID",
                "a": "A end",
                "z": "Z end",
                "account": "Account",
            },
            size=(24, 11),
            links=[("Circuit", "vc", "var-vc=${__data.fields.ID}")],
            colors={
                "Utilization": ((None, GREEN), (0.8, YELLOW), (threshold("vcUtilization"), RED)),
                "Loss A to Z": LOSS_COLORS,
                "Loss Z to A": LOSS_COLORS,
            },
            mappings={"State": UP_DOWN},
            sort=[("State", False), ("Utilization", True)],
            # The rest is for the three names.
            widths={
                "ID": 222,
                "Account": 68,
                "State": 62,
                "Receive": 86,
                "Transmit": 86,
                "Utilization": 100,
                "Loss A to Z": 88,
                "Loss Z to A": 88,
            },
        )
    )
