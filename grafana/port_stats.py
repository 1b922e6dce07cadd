"""The rows of current values at the top of the dashboard Port."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.panels import BLUE, GREEN, ORANGE, RED, UP_DOWN, YELLOW, add_stat_row, stat_panel
from grafana.promql import (
    CAPACITY,
    PORT,
    PORT_KEYS,
    WAYS,
    mean,
    per_million,
    percentile,
    port_traffic,
    threshold,
)

SPEED = f"8 * max({CAPACITY} and on ({PORT_KEYS}) packetfabric_port_info{{{PORT}}})"
AVAILABILITY_COLORS = ((None, RED), (0.99, ORANGE), (0.999, YELLOW), (0.9999, GREEN))


def _add_states(board: dashboard.Dashboard) -> None:
    add_stat_row(
        board,
        stat_panel(
            "State",
            "Operational state, as of the last poll of the inventory. Red: check the receive power "
            "below; no power means a problem with the fibre or the far end.",
            f"max(packetfabric_port_operational_up{{{PORT}}})",
            colors=((None, RED), (1, GREEN)),
            mappings=UP_DOWN,
            empty="no inventory",
        ),
        stat_panel(
            "Admin state",
            "Administrative state. Orange: administratively down, so that no alert fires for this port.",
            f"max(packetfabric_port_admin_up{{{PORT}}})",
            colors=((None, ORANGE), (1, GREEN)),
            mappings=UP_DOWN,
            empty="no inventory",
        ),
        stat_panel(
            "POP",
            "The point of presence of the port.",
            f"max by (pop, site) (packetfabric_port_info{{{PORT}}})",
            legend="{{pop}}",
            text=True,
        ),
        stat_panel(
            "Speed", "The speed of a LAG is the sum of its members.", SPEED, "bps", empty="no inventory"
        ),
        stat_panel(
            "Flaps, 24 h",
            "Carrier transitions in the last 24 hours. Red: clean and reseat connectors, check the "
            "receive power.",
            f"max(round(increase(packetfabric_port_carrier_transitions_total{{{PORT}}}[1d])))",
            colors=((None, GREEN), (1, YELLOW), (threshold("portTransitions") + 1, RED)),
        ),
        stat_panel(
            "Last event",
            "Time since the last event of this port. Red: check whether the port still exists, then"
            " open Exporter.",
            f"clamp_min(time() - max(packetfabric_port_last_event_timestamp_seconds{{{PORT}}}), 0)",
            "s",
            colors=((None, GREEN), (300, YELLOW), (threshold("silence"), RED)),
            decimals=0,
        ),
    )


def _add_use(board: dashboard.Dashboard) -> None:
    full = ((None, GREEN), (0.7, YELLOW), (threshold("portUtilization"), RED))
    errors = per_million(
        "packetfabric_port_receive_unspecified_errors_total",
        "packetfabric_port_receive_packets_total",
        "1h",
        PORT,
    )
    add_stat_row(
        board,
        *(
            stat_panel(
                f"Utilization, {way}",
                "Ratio of the speed, as a mean of ten minutes. Red: saturated, packets are dropped; check "
                "which circuit causes it.",
                f"max({port_traffic(way, '10m', PORT)} / on ({PORT_KEYS}) group_left () {CAPACITY})",
                "percentunit",
                colors=full,
                decimals=1,
            )
            for way in WAYS
        ),
        *(
            stat_panel(
                f"95th percentile, {way}",
                "Of all five-minute means in the selected time range, the value that 5 % of them exceed, as "
                "carriers bill it. Choose a month as time range; Billing compares all ports.",
                f"8 * {percentile(port_traffic(way, '5m', PORT))}",
                "bps",
                colors=((None, BLUE),),
            )
            for way in WAYS
        ),
        stat_panel(
            "Availability",
            "Ratio of the selected time range in which the port was up, as polled; an outage shorter than "
            "the interval of the inventory can be missed.",
            f"max({mean('packetfabric_port_operational_up', PORT, '$__range')})",
            "percentunit",
            colors=AVAILABILITY_COLORS,
            decimals=2,
            empty="no inventory",
        ),
        stat_panel(
            "Errors per million",
            "Damaged or dropped frames per million packets received in the last hour. Red: check the "
            "receive power and the types of error.",
            f"max({errors})",
            colors=((None, GREEN), (1, YELLOW), (threshold("portErrorsPerMillion"), RED)),
            decimals=1,
            empty="no packets",
        ),
    )


def add_stats(board: dashboard.Dashboard) -> None:
    """Add two rows: the states, and how much is used."""
    _add_states(board)
    _add_use(board)
