"""The dashboard Billing: what each port and circuit carried in a month, and how long it was up."""

from __future__ import annotations

from typing import TypeVar

from grafana_foundation_sdk.builders import bargauge, dashboard, table

from grafana.fleet_ports import INFO
from grafana.layout import new_dashboard, place
from grafana.port_stats import AVAILABILITY_COLORS
from grafana.promql import (
    ALL,
    PORT_KEYS,
    VC_KEYS,
    WAYS,
    busier,
    fold,
    fold_ends,
    here,
    mean,
    percentile,
    port_named,
    port_traffic,
    vc_named,
    vcs_here,
)
from grafana.tables import rows

MONTHS = (("month to date", ""), ("last month", "1M/M"))
"""The ends of titles, and the shifts of the time range, which is the month to date."""

P = TypeVar("P", table.Panel, bargauge.Panel)


def _in_month(panel: P, shift: str) -> P:
    """Set the time range of a panel, whatever the dashboard shows."""
    panel.time_from("now/M")
    return panel.time_shift(shift) if shift else panel


def _volume(kind: str, direction: str, keys: str) -> str:
    """Return the bytes in the time range."""
    return fold(f"increase(packetfabric_{kind}_{direction}_bytes_total{{{ALL}}}[$__range])", keys)


def _ports(when: str) -> table.Panel:
    received, sent = (port_traffic(way, "5m") for way in WAYS)
    return rows(
        f"Ports, {when}",
        "The 95th percentile of five-minute means, as carriers bill it; Billed is the higher direction. "
        "Volume is what the counters of the network grew by. Availability is the ratio of time in which the"
        " port was up, as polled. Do not add a LAG and its members.",
        [
            (port_named(here(fold(INFO, f"{PORT_KEYS}, pop, speed"))), "", ""),
            (f"8 * {here(busier(percentile(received), percentile(sent)))}", "Billed, 95th", "bps"),
            (f"8 * {here(percentile(received))}", "Receive, 95th", "bps"),
            (f"8 * {here(percentile(sent))}", "Transmit, 95th", "bps"),
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
        colors={"Availability": AVAILABILITY_COLORS},
        sort=[("Billed, 95th", True)],
        widths={"Port": 260, "ID": 200, "POP": 70, "Speed": 90, "Account": 100},
    )


def _circuits(when: str) -> table.Panel:
    def of_busier_end(direction: str, span: str) -> str:
        ends = fold_ends(mean(f"packetfabric_vc_{direction}_bytes_per_second", ALL, span))
        return f"max by ({VC_KEYS}) ({ends})"

    received, sent = (of_busier_end(way, "5m") for way in WAYS)
    limit = fold(f"packetfabric_vc_receive_limit_bytes_per_second{{{ALL}}}", VC_KEYS)
    return rows(
        f"Virtual circuits, {when}",
        "The same for virtual circuits, at their busier end. Limit is the rate limit at the end of the "
        "month.",
        [
            (vc_named(vcs_here(fold(f"packetfabric_vc_info{{{ALL}}}", f"{VC_KEYS}, service_type"))), "", ""),
            (
                f"8 * {vcs_here(busier(percentile(received), percentile(sent), VC_KEYS))}",
                "Billed, 95th",
                "bps",
            ),
            (f"8 * {vcs_here(percentile(received))}", "Receive, 95th", "bps"),
            (f"8 * {vcs_here(percentile(sent))}", "Transmit, 95th", "bps"),
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
        colors={"Availability": AVAILABILITY_COLORS},
        sort=[("Billed, 95th", True)],
        widths={"Circuit": 260, "ID": 220, "Type": 90, "Account": 100},
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
