"""The dashboard Cloud router: the connections of cloud routers, which are polled."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard, table
from grafana_foundation_sdk.models import dashboard as model

from grafana.layout import new_dashboard
from grafana.panels import (
    BLUE,
    COARSE,
    GREEN,
    ORANGE,
    RED,
    UP_DOWN,
    YELLOW,
    add_stat_row,
    graph,
    stat_panel,
    state_names,
    state_timeline,
)
from grafana.promql import ALL, WAYS, busier, current_state, fold, increases, mean, unique_names
from grafana.tables import rows

KEYS = "account, cloud_circuit_id"
INFO = "packetfabric_cloud_router_connection_info"
SESSION = f"{KEYS}, bgp_settings_uuid"
ENABLED = f"unless on ({SESSION}) packetfabric_cloud_router_connection_bgp_enabled{{{ALL}}} == 0"
"""Leaves out BGP sessions that are switched off."""
BGP = f"({fold(f'packetfabric_cloud_router_connection_bgp_up{{{ALL}}}', SESSION)} {ENABLED})"
BGP_ALL_UP = f"min by ({KEYS}) ({BGP})"
STATE = f'packetfabric_cloud_router_connection_state{{{ALL}, state="Active"}}'
ACTIVE = fold(STATE, KEYS)
ROUTES = fold(f"packetfabric_cloud_router_connection_bgp_routes{{{ALL}}}", f"{KEYS}, type")


BGP_STATES = {
    "idle": RED,
    "connect": RED,
    "active": RED,
    "opensent": ORANGE,
    "openconfirm": ORANGE,
    "other": YELLOW,
    "configuring": BLUE,
    "fetching": BLUE,
    "established": GREEN,
}
"""The colors of the states of BGP sessions, the worst first."""
BGP_STATE = current_state("packetfabric_cloud_router_connection_bgp_state", list(BGP_STATES), SESSION)
CLOUD_STATE = fold(f"packetfabric_cloud_connection_state{{{ALL}}} == 1", f"{KEYS}, layer, state")
CLOUD_STATES = [
    model.ValueMap(
        options={
            state: model.ValueMappingResult(text=state, color=color, index=index)
            for index, (state, color) in enumerate(
                [(state, GREEN) for state in ("available", "active", "up", "enabled", "encryption up")]
                + [
                    (state, YELLOW)
                    for state in ("requested", "ordering", "pending", "confirming", "verifying")
                ]
                + [(state, YELLOW) for state in ("pending_partner", "pending_customer", "unprovisioned")]
                + [(state, RED) for state in ("down", "disabled", "encryption down", "rejected", "defunct")]
                + [(state, ORANGE) for state in ("deleting", "deleted", "unknown", "other")]
            )
        }
    )
]
"""The colors of the states on the provider's side."""


def _named(expression: str) -> str:
    """Add the label ``name``."""
    names = unique_names(INFO, "cloud_circuit_id", f"{INFO}{{{ALL}}}")
    return f"({expression})\n  * on ({KEYS}) group_left (name) ({names})"


def _most(count: int, expression: str, measure: str) -> str:
    """Return the connections for which a measure over the time range is highest, so that they fit."""
    return f"{expression}\n  and on ({KEYS}) topk({count}, {measure})"


def _over_range(function: str, metric: str, select: str = "") -> str:
    return f"{function}(packetfabric_cloud_router_connection_{metric}{{{ALL}{select}}}[$__range] @ end())"


def _traffic(direction: str, unit: str = "bytes") -> str:
    return fold(mean(f"packetfabric_cloud_router_connection_{direction}_{unit}_per_second"), KEYS)


def _utilization(direction: str) -> str:
    speed = fold(f"packetfabric_cloud_router_connection_speed_bytes_per_second{{{ALL}}}", KEYS)
    used = fold(mean(f"packetfabric_cloud_router_connection_{direction}_bytes_per_second", ALL, "10m"), KEYS)
    return f"{used} / on ({KEYS}) group_left () {speed}"


def _of_busiest(direction: str, unit: str = "bytes") -> str:
    traffic = " + ".join(fold(_over_range("avg_over_time", f"{way}_bytes_per_second"), KEYS) for way in WAYS)
    return _named(_most(10, _traffic(direction, unit), traffic))


def _bgp_states() -> str:
    """Return the states of the connections whose sessions were not established for longest."""
    established = _over_range("avg_over_time", "bgp_state", ', state="established"')
    return _named(
        _most(
            15,
            f"min by ({KEYS}) (({BGP_STATE}) {ENABLED})",
            f"1 - min by ({KEYS}) ({fold(established, SESSION)} {ENABLED})",
        )
    )


def _routes() -> str:
    """Return the routes of the connections with the largest change."""
    change = f"{_over_range('max_over_time', 'bgp_routes')} - {_over_range('min_over_time', 'bgp_routes')}"
    return _named(_most(10, ROUTES, f"max by ({KEYS}) ({change})"))


BUSIER = busier(_utilization("receive"), _utilization("transmit"), KEYS)


def _add_stats(board: dashboard.Dashboard) -> None:
    none = "not polled"
    add_stat_row(
        board,
        stat_panel(
            "Cloud routers",
            "Cloud routers with at least one connection.",
            f"count(group by (account, cloud_router_circuit_id) ({INFO}{{{ALL}}}))",
            empty=none,
        ),
        stat_panel(
            "Connections",
            "Connections of all cloud routers. Without a value: set inventory.cloud_router_connections to "
            "true.",
            f"count({ACTIVE})",
            empty=none,
        ),
        stat_panel(
            "Connections not active",
            "Connections in another state than Active. Red: they are first in the table.",
            f"count({ACTIVE} == 0) or 0 * count({ACTIVE})",
            colors=((None, GREEN), (1, RED)),
            empty=none,
        ),
        stat_panel(
            "BGP sessions up",
            "Established BGP sessions, as of the last poll; disabled sessions are not counted.",
            f"count({BGP} == 1) or 0 * count({BGP})",
            empty=none,
        ),
        stat_panel(
            "BGP sessions down",
            "Red: routes are missing; check the session with the provider. They are first in the table.",
            f"count({BGP} == 0) or 0 * count({BGP})",
            colors=((None, GREEN), (1, RED)),
            empty=none,
        ),
        stat_panel(
            "Inventory age",
            "Age of everything on this dashboard, which is polled and not streamed.",
            "max(time() - max by (account) (packetfabric_inventory_last_success_timestamp_seconds"
            f"{{{ALL}}}))",
            "s",
            colors=((None, GREEN), (900, YELLOW), (1800, RED)),
            decimals=0,
            empty="no inventory",
        ),
    )


def _add_table(board: dashboard.Dashboard) -> None:
    labels = f"{KEYS}, description, cloud_router_name, service_provider, pop, speed"
    board.with_panel(
        rows(
            "Connections of cloud routers",
            "All connections, those with a BGP session down first. Rates are the newest of the last poll.",
            [
                (fold(f"{INFO}{{{ALL}}}", labels), "", ""),
                (BGP_ALL_UP, "BGP", "short"),
                (ACTIVE, "Active", "short"),
                (f"8 * {_traffic('receive')}", "Receive", "bps"),
                (f"8 * {_traffic('transmit')}", "Transmit", "bps"),
                (BUSIER, "Utilization", "percentunit"),
            ],
            {
                "description": "Connection",
                "cloud_circuit_id": "ID",
                "cloud_router_name": "Cloud router",
                "service_provider": "Provider",
                "pop": "POP",
                "speed": "Speed",
                "account": "Account",
            },
            size=(24, 8),
            colors={"Utilization": ((None, GREEN), (0.7, YELLOW), (0.9, RED))},
            mappings={"BGP": UP_DOWN, "Active": state_names((("no", RED), ("yes", GREEN)))},
            sort=[("BGP", False), ("Utilization", True)],
            widths={
                "ID": 170,
                "Cloud router": 180,
                "Provider": 90,
                "POP": 70,
                "Speed": 80,
                "Account": 110,
                "BGP": 70,
                "Active": 80,
                "Receive": 100,
                "Transmit": 100,
                "Utilization": 110,
            },
        )
    )


def _cloud_side() -> table.Panel:
    named = (
        f"{_named(CLOUD_STATE)}\n"
        f'  or on ({KEYS}, layer) label_replace({CLOUD_STATE}, "name", "$1", "cloud_circuit_id", "(.+)")'
    )
    return rows(
        "State on the provider's side",
        "State of each layer of cloud connections, as PacketFabric reads it from the provider. Red: open a "
        "case with the provider. Empty: set inventory.cloud_state to true.",
        [(named, "", "")],
        {"name": "Connection", "layer": "Layer", "state": "State", "cloud_circuit_id": "ID"},
        size=(12, 8),
        mappings={"State": CLOUD_STATES},
        sort=[("Connection", False)],
        widths={"Layer": 148, "State": 138, "ID": 215},
    ).no_value("inventory.cloud_state is off")


def _add_history(board: dashboard.Dashboard) -> None:
    for panel in (
        state_timeline(
            "BGP sessions over time",
            "The 15 connections with the most time without an established session, as polled; of several "
            "sessions that are not disabled, the one that is furthest from established. Connect or active: "
            "the neighbour does not answer.",
            [(_bgp_states(), "{{name}}")],
            size=(12, 8),
            mappings=state_names(list(BGP_STATES.items())),
            named=True,
            empty="not polled",
        ),
        _cloud_side(),
        graph(
            "Traffic of cloud router connections",
            "The ten busiest connections: received, and transmitted below the axis. Each value is the newest "
            "of a poll and covers about a minute; it is not a mean since the last poll.",
            [(f"8 * {_of_busiest(way)}", f"{{{{name}}}} {way}") for way in WAYS],
            "bps",
            size=(12, 9),
            below=True,
            empty="not polled",
        ),
        graph(
            "Packets of cloud router connections",
            "The same connections: received, and transmitted below the axis. Many packets with little "
            "traffic are small.",
            [(_of_busiest(way, "packets"), f"{{{{name}}}} {way}") for way in WAYS],
            "pps",
            size=(12, 9),
            below=True,
            empty="not polled",
        ),
        graph(
            "BGP routes",
            "Routes by type, of the ten connections with the largest change. A sudden decrease: the other "
            "side withdraws routes. Empty: set inventory.bgp_routes to true.",
            [(_routes(), "{{name}} {{type}}")],
            "none",
            size=(12, 9),
            floor=0,
            empty="inventory.bgp_routes is off",
        ),
        graph(
            "Changes of BGP sessions",
            "Changes of state in the log of the cloud routers, by new state. Empty: set inventory.bgp_log to "
            "true.",
            [(increases("packetfabric_cloud_router_connection_bgp_transitions_total", "to"), "{{to}}")],
            "none",
            size=(12, 9),
            bars=True,
            soft=(0, 1),
            step=COARSE,
            empty="inventory.bgp_log is off",
        ),
    ):
        board.with_panel(panel)


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    board = new_dashboard(
        "cloud-router",
        "Cloud router",
        "Connections of cloud routers: state, BGP sessions and traffic, as polled with the inventory.",
        since="now-24h",
    )
    _add_stats(board)
    _add_table(board)
    _add_history(board)
    return board
