"""The rows of current values at the top of the dashboard Virtual circuit."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.fleet_circuits import BUSIEST_END, LOSS_COLORS
from grafana.panels import BLUE, GREEN, RED, UP_DOWN, YELLOW, add_stat_row, stat_panel
from grafana.port_stats import AVAILABILITY_COLORS
from grafana.promql import VC, VC_KEYS, WAYS, fold_ends, loss, mean, percentile, threshold


def _add_states(board: dashboard.Dashboard) -> None:
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
            "Utilization",
            "Ratio of the rate limit, at the busier end and direction, as a mean of ten minutes. Red: "
            "traffic above the limit is dropped; find the sender or order more bandwidth.",
            f"max({BUSIEST_END} and on ({VC_KEYS}) packetfabric_vc_info{{{VC}}})",
            "percentunit",
            colors=((None, GREEN), (0.8, YELLOW), (threshold("vcUtilization"), RED)),
            decimals=1,
        ),
        stat_panel(
            "Availability",
            "Ratio of the selected time range in which the circuit was connected, as polled; an outage "
            "shorter than the interval of the inventory can be missed.",
            f"max({mean('packetfabric_vc_connected', VC, '$__range')})",
            "percentunit",
            colors=AVAILABILITY_COLORS,
            decimals=2,
            empty="no inventory",
        ),
        stat_panel(
            "Last event",
            "Time since the last event of the end that has been silent longest. Red: check whether "
            "that end belongs to another customer.",
            "clamp_min(time() - min(max by (account, port_circuit_id) "
            f"(packetfabric_vc_last_event_timestamp_seconds{{{VC}}})), 0)",
            "s",
            colors=((None, GREEN), (300, YELLOW), (threshold("silence"), RED)),
            decimals=0,
        ),
    )


def _add_use(board: dashboard.Dashboard) -> None:
    def billed(direction: str) -> str:
        used = fold_ends(mean(f"packetfabric_vc_{direction}_bytes_per_second", VC, "5m"))
        return f"8 * max({percentile(used)})"

    add_stat_row(
        board,
        *(
            stat_panel(
                f"95th percentile, {way}",
                "Of all five-minute means in the selected time range, the value that 5 % of them exceed, at"
                " the busier end. Choose a month as time range; Billing compares all circuits.",
                billed(way),
                "bps",
                colors=((None, BLUE),),
            )
            for way in WAYS
        ),
        *(
            stat_panel(
                f"Packet loss {source.upper()} to {to.upper()}, 1 h",
                f"Ratio of packets of the last hour that entered at end {source.upper()} and did not leave "
                f"at end {to.upper()}. The ends are sampled at different times, so small values are noise. "
                "Red: check both ports for drops. Without a value, only one end reports.",
                f"max({loss(source, to, '1h', VC)})",
                "percentunit",
                colors=LOSS_COLORS,
                decimals=2,
                empty="one end only",
            )
            for source, to in (("a", "z"), ("z", "a"))
        ),
    )


def add_stats(board: dashboard.Dashboard) -> None:
    """Add two rows: the states, and how much is used and lost."""
    _add_states(board)
    _add_use(board)
