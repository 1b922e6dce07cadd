"""The dashboard Billing: what each port and circuit carried in a month, and how long it was up."""

from __future__ import annotations

from typing import TypeVar

from grafana_foundation_sdk.builders import bargauge, dashboard, table

from grafana.fleet_ports import INFO
from grafana.layout import new_dashboard, place
from grafana.panels import GREEN, RED, YELLOW
from grafana.port_stats import AVAILABILITY_COLORS
from grafana.promql import (
    ALL,
    PORT_KEYS,
    VC_KEYS,
    WAYS,
    fold,
    here,
    mean,
    port_named,
    recorded,
    recorded_percentile,
    vc_named,
    vcs_here,
)
from grafana.tables import rows

MONTHS = (("month to date", ""), ("last month", "1M/M"))
"""The ends of titles, and the shifts of the time range, which is the month to date."""

BILLED = ("Billed, 95th", ("Receive, 95th", "Transmit, 95th"), "bps")
"""A column, and those of which it shows the highest."""

MEASURED_COLORS = ((None, RED), (0.9, YELLOW), (0.99, GREEN))

RULES = (
    "It needs the recording rules in prometheus/rules.yml; Measured is the ratio of time for which they have "
    "recorded averages."
)

P = TypeVar("P", table.Panel, bargauge.Panel)


def _in_month(panel: P, shift: str) -> P:
    """Set the time range of a panel, whatever the dashboard shows."""
    panel.time_from("now/M")
    return panel.time_shift(shift) if shift else panel


def _volume(kind: str, direction: str, keys: str) -> str:
    """Return the bytes in the time range."""
    return fold(f"increase(packetfabric_{kind}_{direction}_bytes_total{{{ALL}}}[$__range])", keys)


def _measured(kind: str, info: str, keys: str) -> str:
    """Return the ratio of time in the time range with averages; 0 without the recording rules."""
    averages = f"count_over_time({recorded(kind, 'receive')}[$__range])"
    ratio = f"clamp_max(300 * {fold(averages, keys)} / $__range_s, 1)"
    return f"({ratio}\n  or on ({keys}) 0 * {fold(info, keys)})"


def _ports(when: str) -> table.Panel:
    return rows(
        f"Ports, {when}",
        "The 95th percentile of five-minute averages, as carriers bill it; Billed is the higher direction. "
        f"{RULES} Volume is the increase of the network's counters. Availability is the ratio of time in "
        "which the port was up, as polled. Do not add a LAG and its members.",
        [
            (port_named(here(fold(INFO, f"{PORT_KEYS}, pop, speed"))), "", ""),
            *(
                (f"8 * {here(recorded_percentile('port', way, PORT_KEYS))}", f"{way.title()}, 95th", "bps")
                for way in WAYS
            ),
            (here(_measured("port", INFO, PORT_KEYS)), "Measured", "percentunit"),
            *((here(_volume("port", way, PORT_KEYS)), f"{way.title()} volume", "decbytes") for way in WAYS),
            (
                here(fold(mean("packetfabric_port_operational_up", ALL, "$__range"))),
                "Availability",
                "percentunit",
            ),
        ],
        {"name": "Port", "port_circuit_id": "ID", "pop": "POP", "speed": "Speed", "account": "Account"},
        size=(24, 10),
        links=[("Port", "port", "var-port=${__data.fields.ID}")],
        highest=BILLED,
        colors={"Availability": AVAILABILITY_COLORS, "Measured": MEASURED_COLORS},
        sort=[("Billed, 95th", True)],
        widths={"Port": 285, "ID": 185, "POP": 70, "Speed": 80, "Account": 80, "Measured": 90},
    )


def _circuits(when: str) -> table.Panel:
    info = f"packetfabric_vc_info{{{ALL}}}"
    limit = fold(f"packetfabric_vc_receive_limit_bytes_per_second{{{ALL}}}", VC_KEYS)
    return rows(
        f"Virtual circuits, {when}",
        f"The same for virtual circuits, at their busier end. {RULES} Limit is the rate limit at the end of "
        "the month.",
        [
            (vc_named(vcs_here(fold(info, f"{VC_KEYS}, service_type"))), "", ""),
            *(
                (f"8 * {vcs_here(recorded_percentile('vc', way, VC_KEYS))}", f"{way.title()}, 95th", "bps")
                for way in WAYS
            ),
            (vcs_here(_measured("vc", info, VC_KEYS)), "Measured", "percentunit"),
            *((vcs_here(_volume("vc", way, VC_KEYS)), f"{way.title()} volume", "decbytes") for way in WAYS),
            (f"8 * {vcs_here(limit)}", "Limit", "bps"),
            (
                vcs_here(fold(mean("packetfabric_vc_connected", ALL, "$__range"), VC_KEYS)),
                "Availability",
                "percentunit",
            ),
        ],
        {"name": "Circuit", "vc_circuit_id": "ID", "service_type": "Type", "account": "Account"},
        size=(24, 10),
        links=[("Circuit", "vc", "var-vc=${__data.fields.ID}")],
        highest=BILLED,
        colors={"Availability": AVAILABILITY_COLORS, "Measured": MEASURED_COLORS},
        sort=[("Billed, 95th", True)],
        widths={"Circuit": 300, "ID": 215, "Type": 80, "Account": 80, "Limit": 80, "Measured": 90},
    )


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    board = new_dashboard(
        "billing",
        "Billing",
        "95th percentile, volume and availability of every port and virtual circuit, in this and in the last "
        "calendar month (UTC). Prometheus has to keep two months for the tables of the last month.",
        since="now/M",
        variables=place(),
    )
    board.timezone("utc").refresh("")
    for when, shift in MONTHS:
        board.with_panel(_in_month(_ports(when), shift))
        board.with_panel(_in_month(_circuits(when), shift))
    return board
