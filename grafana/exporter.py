"""The dashboard Exporter: health of the event streams and of the exporter itself."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from grafana.exporter_stats import data_stats, stream_stats
from grafana.heat import heatmap
from grafana.layout import new_dashboard
from grafana.panels import (
    COARSE,
    GREEN,
    ORANGE,
    RED,
    YELLOW,
    add_stat_row,
    graph,
    state_timeline,
)
from grafana.promql import ALL, EXPORTER, increases, rate

MEASUREMENTS = f'{ALL}, event!~"customer.+"'
LOG = f'{ALL}, event=~"customer.+"'
STATES = ("stopped", "backoff", "connecting", "streaming")
COLORS = (RED, ORANGE, YELLOW, GREEN)
STATE = "\nor ".join(
    f'{index} * (packetfabric_stream_state{{{ALL}, state="{state}"}} == 1)'
    for index, state in enumerate(STATES)
)
"""The current state as a number: its index in ``STATES``."""

MAPPING = [
    model.ValueMap(
        options={
            str(index): model.ValueMappingResult(text=state, color=COLORS[index], index=index)
            for index, state in enumerate(STATES)
        }
    )
]

OF_EXPORTER = " and on (job, instance) packetfabric_exporter_build_info"
SCRAPE = f"scrape_duration_seconds{{{EXPORTER}}}"
MEMORY = f"process_resident_memory_bytes{{{EXPORTER}}}"
CPU = rate("process_cpu_seconds_total", EXPORTER)
PROCESS = (
    (
        "Scrape",
        "Duration of a scrape. Close to the scrape timeout: distribute the streams over several exporters.",
        SCRAPE,
        "s",
        None,
    ),
    (
        "Memory",
        "Resident memory of the process. It should become constant; if it grows for days, report a bug.",
        MEMORY,
        "bytes",
        None,
    ),
    (
        "CPU",
        "CPU usage; 100 % is one core. Above 50 %: distribute the streams over several exporters.",
        CPU,
        "percentunit",
        (0, 0.01),
    ),
)


def _add_streams(board: dashboard.Dashboard) -> None:
    for panel in (
        state_timeline(
            "State of the streams",
            "Green: streaming. Orange: waiting for the next attempt. While it is not green, other "
            "graphs have gaps.",
            [(f"max by (account, instance) ({STATE})", "{{account}} {{instance}}")],
            size=(24, 5),
            colors=tuple((None if index == 0 else index, color) for index, color in enumerate(COLORS)),
            mappings=MAPPING,
        ),
        graph(
            "Events",
            "Received events by name, valid or not, of the exporter that receives most of an account. The "
            "rate should be constant; a step down means that circuits or events are missing.",
            [
                (
                    "sum by (event) (max by (account, event) ("
                    f"{rate('packetfabric_stream_events_total', MEASUREMENTS)})) > 0",
                    "{{event}}",
                ),
                (
                    f"sum(max by (account, event) ({rate('packetfabric_stream_events_total', LOG)}))",
                    "activity log",
                ),
            ],
            "suffix:/s",
            size=(12, 8),
            stack=True,
            step=COARSE,
        ),
        heatmap(
            "Lag of events",
            "Time from the timestamp of an event to its arrival; the brighter, the more events. Over a "
            "minute: PacketFabric is late, or a clock is wrong.",
            f"sum by (le) ({rate('packetfabric_stream_event_lag_seconds_bucket', ALL)})",
            "{{le}}",
            "s",
        ),
    ):
        board.with_panel(panel)


def _add_losses(board: dashboard.Dashboard) -> None:
    for panel in (
        graph(
            "Stream disconnects",
            "Disconnects by reason. 'rotated' and 'ended' are planned, every two hours; all others lose "
            "data: see docs/runbook.md.",
            [(increases("packetfabric_stream_disconnects_total", "reason"), "{{reason}}")],
            "short",
            size=(8, 8),
            bars=True,
            step=COARSE,
            soft=(0, 1),
        ),
        graph(
            "Time without a stream",
            "Ratio of time without an open stream. Above 0: the events of that time are lost.",
            [(rate("packetfabric_stream_gap_seconds_total", ALL), "{{account}} {{instance}}")],
            "percentunit",
            size=(8, 8),
            floor=0,
            soft=(0, 0.01),
        ),
        graph(
            "Failed logins and polls",
            "Failed logins and failed polls of the inventory, by reason, and circuits missing in a list. If "
            "they repeat: check the credentials; see docs/runbook.md.",
            [
                (increases("packetfabric_login_failures_total", "reason"), "login: {{reason}}"),
                (increases("packetfabric_inventory_refresh_failures_total", "reason"), "poll: {{reason}}"),
                (
                    f"max by (type) (packetfabric_inventory_circuits_missing{{{ALL}}})",
                    "missing in the list: {{type}}",
                ),
            ],
            "short",
            size=(8, 8),
            bars=True,
            step=COARSE,
            soft=(0, 1),
        ),
    ):
        board.with_panel(panel)


REMOTE = "packetfabric_remote_storage"


def _lost_samples(what: str) -> str:
    """Return the increase by endpoint and reason; a series with the reason ``none`` and value 0 if none."""
    increase = f"increase({REMOTE}_samples_{what}_total{{{EXPORTER}}}[$__rate_interval])"
    nothing = f'label_replace(sum by (endpoint) ({increase}) == 0, "reason", "none", "", "")'
    return f"sum by (endpoint, reason) ({increase}) > 0 or {nothing}"


def _add_remote_write(board: dashboard.Dashboard) -> None:
    """Add the panels about remote write, which are empty without an endpoint."""
    for panel in (
        graph(
            "Remote write: samples",
            "Samples that receivers took, by endpoint. Zero while events arrive: the receiver fails.",
            [(rate(f"{REMOTE}_samples_total", EXPORTER), "{{endpoint}} of {{instance}}")],
            "suffix:/s",
            size=(8, 7),
            floor=0,
            empty="no remote write",
        ),
        graph(
            "Remote write: waiting",
            "Age of the newest sample that a receiver took. It grows while the receiver fails; samples wait "
            "in the queue or in the spool.",
            [
                (
                    f"time() - {REMOTE}_highest_sent_timestamp_seconds{{{EXPORTER}}}",
                    "{{endpoint}} of {{instance}}",
                )
            ],
            "s",
            size=(8, 7),
            floor=0,
            empty="no remote write",
        ),
        graph(
            "Remote write: lost samples",
            "Samples that a receiver refused, or that were dropped, by reason.",
            [
                (_lost_samples(what), f"{{{{endpoint}}}}, {what}: {{{{reason}}}}")
                for what in ("failed", "dropped")
            ],
            "short",
            size=(8, 7),
            bars=True,
            step=COARSE,
            soft=(0, 1),
            empty="no remote write",
        ),
    ):
        board.with_panel(panel)


def _add_resources(board: dashboard.Dashboard) -> None:
    for panel in (
        graph(
            "Rejected and unknown",
            "Rejected events, unknown and invalid fields, and counter resets. Unknown: look for a "
            "newer version of the exporter. Resets: a router rebooted; if they repeat, see "
            "docs/runbook.md. Recording failures and dropped log lines: a full disk or blocked standard "
            "error.",
            [
                *(
                    (increases(f"packetfabric_{name}_total", by), f"{what}: {{{{{by}}}}}")
                    for name, by, what in (
                        ("stream_events_rejected", "reason", "rejected"),
                        ("stream_unknown_fields", "event", "unknown fields"),
                        ("stream_fields_rejected", "event", "invalid fields"),
                        ("resets", "event", "resets"),
                    )
                ),
                *(
                    (f"sum(increase({name}{{{EXPORTER}}}[$__rate_interval]))", legend)
                    for name, legend in (
                        ("packetfabric_recording_failures_total", "recording failures"),
                        ("packetfabric_log_lines_dropped_total", "log lines dropped"),
                    )
                ),
            ],
            "short",
            size=(12, 8),
            bars=True,
            step=COARSE,
            soft=(0, 1),
        ),
        graph(
            "Series",
            "Series in memory, and samples per scrape. Close to series.limit: increase it.",
            [
                (f"max by (account) (packetfabric_series{{{ALL}}})", "series of {{account}}"),
                (
                    f"scrape_samples_scraped{{{EXPORTER}}} and on (job, instance) "
                    f"packetfabric_exporter_build_info",
                    "scraped from {{instance}}",
                ),
            ],
            "short",
            size=(12, 8),
            floor=0,
        ),
        *(
            graph(
                title,
                help,
                [(f"{expression}{OF_EXPORTER}", "{{instance}}")],
                unit,
                size=(8, 7),
                floor=0,
                soft=soft,
            )
            for title, help, expression, unit, soft in PROCESS
        ),
    ):
        board.with_panel(panel)


def build() -> dashboard.Dashboard:
    """Return the dashboard."""
    board = new_dashboard(
        "exporter",
        "Exporter",
        "Health of the exporter: event streams, lag, lost data, and resource usage.",
        since="now-24h",
        own=True,
    )
    add_stat_row(board, *stream_stats(), *data_stats())
    _add_streams(board)
    _add_losses(board)
    _add_remote_write(board)
    _add_resources(board)
    return board
