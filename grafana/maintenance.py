"""The dashboard Maintenance and contract: what is announced, what it affects, and what ends on a date."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard

from grafana.layout import new_dashboard
from grafana.panels import BLUE, GREEN, RED, YELLOW, add_stat_row, graph, stat_panel
from grafana.promql import ALL, fold, port_named, vc_named
from grafana.tables import rows

KEYS = "account, maintenance"
START = fold(f"packetfabric_maintenance_start_timestamp_seconds{{{ALL}}}", KEYS)
END = fold(f"packetfabric_maintenance_end_timestamp_seconds{{{ALL}}}", KEYS)
RUNNING = f"({START} <= time() and {END} > time())"
POLLED = f'max(packetfabric_poll_last_success_timestamp_seconds{{{ALL}, resource="maintenance"}})'
TERM = fold(f"packetfabric_circuit_term_end_timestamp_seconds{{{ALL}}}", "account, circuit_id")
KEY = fold(f"packetfabric_api_key_expiry_timestamp_seconds{{{ALL}}}", "account, api_key, own")
FLEX = "account, flex_bandwidth_id"
DAYS = ((None, RED), (7 * 86400, YELLOW), (30 * 86400, GREEN))


def _flex(what: str) -> str:
    return fold(f"packetfabric_flex_bandwidth_{what}_bytes_per_second{{{ALL}}}", FLEX)


def _affected() -> str:
    """Return a series for each maintenance and circuit, with the name of the circuit."""

    def affects(circuit: str, label: str) -> str:
        return fold(f"packetfabric_maintenance_affects_{circuit}{{{ALL}}}", f"{KEYS}, {label}")

    connections = affects("cloud_router_connection", "cloud_circuit_id")
    return (
        f"({port_named(affects('port', 'port_circuit_id'))}\n"
        f"or {vc_named(affects('vc', 'vc_circuit_id'))}\n"
        f'or label_replace({connections}, "name", "$1", "cloud_circuit_id", "(.+)"))'
    )


def _at(times: str) -> str:
    """Return a time of the maintenance of each affected circuit, in milliseconds."""
    return f"1000 * {_affected()}\n  * on ({KEYS}) group_left () {times}"


def _count(condition: str) -> str:
    """Return a number of maintenances; 0 if there is none, nothing if they are not polled."""
    return f"count({condition}) or 0 * {POLLED}"


def _add_stats(board: dashboard.Dashboard) -> None:
    circuits = f"count({_affected()} and on ({KEYS}) {RUNNING})"
    add_stat_row(
        board,
        stat_panel(
            "Maintenances in progress",
            "Maintenances of PacketFabric that have started and not ended. Alerts about affected circuits "
            "are off meanwhile.",
            _count(RUNNING),
            colors=((None, GREEN), (1, BLUE)),
            empty="not polled",
        ),
        stat_panel(
            "Circuits in maintenance",
            "Ports, virtual circuits and cloud router connections that a maintenance in progress affects.",
            f"{circuits} or 0 * {POLLED}",
            colors=((None, GREEN), (1, BLUE)),
            empty="not polled",
        ),
        stat_panel(
            "Announced maintenances",
            "Maintenances that have not started.",
            _count(f"{START} > time()"),
            colors=((None, GREEN), (1, BLUE)),
            empty="not polled",
        ),
        stat_panel(
            "Next maintenance in",
            "Time until the next announced maintenance begins.",
            f"min(({START} > time()) - time())",
            "s",
            colors=((None, BLUE),),
            decimals=1,
            empty="none",
        ),
        stat_panel(
            "Next term ends in",
            "Time until the next term of a circuit ends. Without a value: set inventory.contract to true.",
            f"min(({TERM} > time()) - time())",
            "s",
            colors=DAYS,
            decimals=1,
            empty="not polled",
        ),
        stat_panel(
            "Next API key expires in",
            "Time until the next API key of the user expires. Without a value: no key expires.",
            f"min(({KEY} > time()) - time())",
            "s",
            colors=DAYS,
            decimals=1,
            empty="none",
        ),
    )


def _add_maintenances(board: dashboard.Dashboard) -> None:
    labels = f"{KEYS}, ticket, type, action, system_wide"
    affected = f"count by ({KEYS}) ({_affected()})"
    board.with_panel(
        rows(
            "Maintenances",
            "Maintenances in progress and to come, the next to end first. Circuits is the number of affected "
            "ports, virtual circuits and cloud router connections.",
            [
                (fold(f"packetfabric_maintenance_info{{{ALL}}}", labels), "", ""),
                (f"1000 * {START}", "Start", "dateTimeAsIso"),
                (f"1000 * {END}", "End", "dateTimeAsIso"),
                (f"({START} <= bool time()) * ({END} > bool time())", "In progress", "bool_yes_no"),
                (affected, "Circuits", "none"),
            ],
            {
                "ticket": "Ticket",
                "type": "Type",
                "action": "Last notice",
                "system_wide": "System-wide",
                "account": "Account",
            },
            size=(24, 6),
            colors={"In progress": ((None, GREEN), (1, BLUE))},
            sort=[("End", False)],
            widths={"Start": 190, "End": 190},
        )
    )
    board.with_panel(
        rows(
            "Affected circuits",
            "Each circuit of each maintenance in progress or to come, the next to begin first.",
            [(_at(START), "Start", "dateTimeAsIso"), (_at(END), "End", "dateTimeAsIso")],
            {
                "name": "Circuit",
                "port_circuit_id": "Port",
                "vc_circuit_id": "Virtual circuit",
                "cloud_circuit_id": "Cloud router connection",
                "account": "Account",
            },
            size=(24, 9),
            links=[
                ("Port", "port", "var-port=${__value.text}"),
                ("Virtual circuit", "vc", "var-vc=${__value.text}"),
            ],
            sort=[("Start", False)],
            widths={
                "Port": 190,
                "Virtual circuit": 225,
                "Cloud router connection": 190,
                "Account": 110,
                "Start": 180,
                "End": 180,
            },
        )
    )


def _add_contract(board: dashboard.Dashboard) -> None:
    for panel in (
        rows(
            "Terms of circuits",
            "When the term of each circuit ends, the next first. Empty: set inventory.contract to true.",
            [(f"1000 * {TERM}", "Term ends", "dateTimeAsIso"), (f"{TERM} - time()", "Left", "s")],
            {"circuit_id": "Circuit", "account": "Account"},
            size=(10, 9),
            colors={"Left": DAYS},
            sort=[("Left", False)],
            widths={"Circuit": 230, "Account": 90},
        ).no_value("inventory.contract is off"),
        rows(
            "API keys",
            "When each API key of the user expires. Own: the exporter logs in with it, so there is no data "
            "after it expires. Keys that never expire are not listed.",
            [(f"{KEY} - time()", "Left", "s")],
            {"api_key": "Key", "own": "Own", "account": "Account"},
            size=(7, 9),
            colors={"Left": DAYS},
            sort=[("Left", False)],
        ),
        graph(
            "Flex bandwidth",
            "Use of each flex bandwidth container, and its capacity as a dashed line. Empty: set "
            "inventory.contract to true.",
            [
                (f"8 * {_flex('used')}", "{{flex_bandwidth_id}}"),
                (f"8 * {_flex('capacity')}", "capacity of {{flex_bandwidth_id}}"),
            ],
            "bps",
            size=(7, 9),
            floor=0,
            empty="inventory.contract is off",
        ),
    ):
        board.with_panel(panel)


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    board = new_dashboard(
        "maintenance",
        "Maintenance and contract",
        "Maintenances of PacketFabric with the circuits that they affect, terms of circuits, API keys and "
        "flex bandwidth, as polled.",
        since="now-24h",
    )
    _add_stats(board)
    _add_maintenances(board)
    _add_contract(board)
    return board
