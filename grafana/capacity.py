"""The dashboard Capacity: how full ports and circuits are, compared with last week, and a forecast."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.fleet_now import TO_PORT, TO_VC
from grafana.fleet_ports import FULL
from grafana.forecast import add_forecast
from grafana.layout import new_dashboard, place
from grafana.panels import COARSE, GREEN, ORANGE, RED, YELLOW, bars, graph, with_link
from grafana.promql import (
    ALL,
    CAPACITY,
    NOT_A_MEMBER,
    PORT_KEYS,
    VC_KEYS,
    WAYS,
    busier,
    fold,
    here,
    port_named,
    port_traffic,
    port_utilization,
    recorded_percentile,
    threshold,
    vc_named,
    vcs_here,
)

NOT_RECORDED = "load rules.yml in Prometheus"
FULL_COLORS = ((None, GREEN), (0.5, YELLOW), (0.7, ORANGE), (FULL, RED))


def _total(direction: str, at: str = "") -> str:
    traffic = here(f"{port_traffic(direction, at=at, span='$__rate_interval')} {NOT_A_MEMBER}")
    return f"8 * sum({traffic})"


def _add_total(board: dashboard.Dashboard) -> None:
    board.with_panel(
        graph(
            "Traffic of all ports, week on week",
            "Received, and transmitted below the axis, by all ports; LAGs instead of their members. The "
            "dotted lines are the same time a week ago, if there is a week of history.",
            [
                *((_total(way), way) for way in WAYS),
                *((_total(way, " offset 1w"), f"last week {way}") for way in WAYS),
            ],
            "bps",
            size=(24, 8),
            below=True,
            step=COARSE,
        )
    )


def _add_percentiles(board: dashboard.Dashboard) -> None:
    def of_speed(direction: str) -> str:
        return f"{recorded_percentile('port', direction, PORT_KEYS)}\n  / on ({PORT_KEYS}) {CAPACITY}"

    def of_limit(direction: str) -> str:
        limit = fold(f"packetfabric_vc_{direction}_limit_bytes_per_second{{{ALL}}}", VC_KEYS)
        return f"{recorded_percentile('vc', direction, VC_KEYS)}\n  / on ({VC_KEYS}) ({limit} > 0)"

    ports = busier(of_speed("receive"), of_speed("transmit"))
    circuits = busier(of_limit("receive"), of_limit("transmit"), VC_KEYS)
    limit = threshold("vcUtilization")
    for panel in (
        with_link(
            bars(
                "Fullest ports, 95th percentile",
                "Utilization in the busier direction that only 5 % of the five-minute averages in the "
                "selected time range exceed. It needs the recording rules in prometheus/rules.yml. Red: "
                "order capacity, or move circuits.",
                f"sort_desc({port_named(f'topk(12, {here(ports)})')})",
                "{{name}}",
                "percentunit",
                colors=FULL_COLORS,
                size=(12, 11),
                low=0,
                high=1,
                empty=NOT_RECORDED,
            ),
            *TO_PORT,
        ),
        with_link(
            bars(
                "Fullest circuits, 95th percentile",
                "Utilization of the rate limit, at the busier end and direction, that only 5 % of the "
                "five-minute averages in the selected time range exceed. It needs the recording rules in "
                "prometheus/rules.yml. Red: order more bandwidth.",
                f"sort_desc({vc_named(f'topk(12, {vcs_here(circuits)})')})",
                "{{name}}",
                "percentunit",
                colors=((None, GREEN), (0.5, YELLOW), (0.8, ORANGE), (limit, RED)),
                size=(12, 11),
                low=0,
                high=1,
                empty=NOT_RECORDED,
            ),
            *TO_VC,
        ),
    ):
        board.with_panel(panel)


def _grown(direction: str) -> str:
    """Return by how much the traffic of each port differs from a week before, as a share of its speed."""
    return f"{port_utilization(direction, '1d')} - {port_utilization(direction, '1d', at=' offset 1w')}"


def _imbalance(direction: str) -> str:
    lag = f'group by ({PORT_KEYS}, lag) (packetfabric_port_info{{{ALL}, lag!=""}})'
    members = f"{port_traffic(direction, '1h')} * on ({PORT_KEYS}) group_right () {lag}"
    ratio = f"max by (account, lag) ({members}) / (avg by (account, lag) ({members}) > 0) - 1"
    return f'label_replace({ratio}, "port_circuit_id", "$1", "lag", "(.+)")'


def _add_changes(board: dashboard.Dashboard) -> None:
    grown = busier(_grown("receive"), _grown("transmit"))
    imbalance = busier(_imbalance("receive"), _imbalance("transmit"))
    for panel in (
        with_link(
            bars(
                "Growth in a week",
                "Change of the mean utilization of a day since the same day a week ago, in percentage "
                "points of the speed, for the ports that grew most.",
                f"sort_desc({port_named(f'topk(12, {here(grown)})')})",
                "{{name}}",
                "percentunit",
                colors=((None, GREEN), (0.05, YELLOW), (0.1, ORANGE), (0.2, RED)),
                size=(12, 11),
                low=0,
                high=0.3,
                empty="less than a week of history",
            ),
            *TO_PORT,
        ),
        with_link(
            bars(
                "LAG imbalance",
                "By how much the busiest member of each LAG exceeds the mean of its members, in the last "
                "hour. 0 % is balanced; 100 % with two members: one carries everything, so the LAG is full "
                "at half its speed.",
                f"sort_desc({port_named(f'topk(12, {here(imbalance)})')})",
                "{{name}}",
                "percentunit",
                colors=((None, GREEN), (0.25, YELLOW), (0.5, ORANGE)),
                size=(12, 11),
                low=0,
                high=1,
                empty="no LAG",
            ),
            *TO_PORT,
        ),
    ):
        board.with_panel(panel)


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    board = new_dashboard(
        "capacity",
        "Capacity",
        "How full ports and virtual circuits are, how that compares with last week, and when they will be "
        "full.",
        since="now-7d",
        variables=place(),
    )
    _add_total(board)
    _add_percentiles(board)
    add_forecast(board)
    _add_changes(board)
    return board
