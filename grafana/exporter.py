"""The dashboard Exporter: can I trust the other graphs?"""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from grafana.layout import board
from grafana.panels import BLUE, COARSE, GREEN, ORANGE, RED, YELLOW, across, graph, number, timeline
from grafana.promql import ALL, EXPORTER, TARGET, counts, rate, threshold

NUMBERS = f'{ALL}, event!~"customer.+"'
LOG = f'{ALL}, event=~"customer.+"'
STATES = ("stopped", "backoff", "connecting", "streaming")
COLORS = (RED, ORANGE, YELLOW, GREEN)
STATE = "\nor ".join(
    f'{index} * (packetfabric_stream_state{{{ALL}, state="{state}"}} == 1)'
    for index, state in enumerate(STATES)
)
"""The present state as a number."""

MAPPING = [
    model.ValueMap(
        options={
            str(index): model.ValueMappingResult(text=state, color=COLORS[index], index=index)
            for index, state in enumerate(STATES)
        }
    )
]

OURS = " and on (job, instance) packetfabric_exporter_build_info"
SCRAPE = f"scrape_duration_seconds{{{EXPORTER}}}"
MEMORY = f"process_resident_memory_bytes{{{EXPORTER}}}"
CPU = rate("process_cpu_seconds_total", EXPORTER)
PROCESS = (
    (
        "Scrape",
        "How long Prometheus waits for the page. Near its timeout: share the streams out.",
        SCRAPE,
        "s",
        None,
    ),
    ("Memory", "Of the process. It should level off; climbing for days: tell us.", MEMORY, "bytes", None),
    (
        "CPU",
        "Of one core. Above a half: share the streams out among exporters.",
        CPU,
        "percentunit",
        (0, 0.01),
    ),
)


def _heads(made: dashboard.Dashboard) -> None:
    read_timeout = threshold("stream_silence")
    across(
        made,
        number(
            "Streams up",
            "Accounts with a living stream. Red: none; see Streams lost for why.",
            f"sum(packetfabric_up{{{ALL}}})",
            colors=((None, RED), (1, GREEN)),
            empty="no exporter",
        ),
        number(
            "Silent for",
            "Since the last number of the network, of the account that is silent longest. Red: the stream is "
            "open but "
            "brings nothing.",
            f"max(time() - max by ({TARGET}) ("
            f'packetfabric_stream_last_event_timestamp_seconds{{{ALL}, event=~"(port|vc)[|].+"}}))',
            "s",
            colors=((None, GREEN), (read_timeout / 3, YELLOW), (read_timeout, RED)),
            decimals=0,
        ),
        number(
            "Lost, a day",
            "Time without a stream within a day; what happened in it is missing. Red: see Streams lost.",
            f"max(increase(packetfabric_stream_gap_seconds_total{{{ALL}}}[1d]))",
            "s",
            colors=((None, GREEN), (60, YELLOW), (900, RED)),
            decimals=0,
        ),
        number(
            "Session ends in",
            "Of the account whose session ends first; it is renewed at four fifths. Red: see Logins refused. "
            "An API key has no session.",
            f"min(packetfabric_session_expiry_timestamp_seconds{{{ALL}}} - time())",
            "s",
            colors=((None, RED), (600, YELLOW), (86400, GREEN)),
            decimals=0,
            empty="API key",
        ),
        number(
            "Rejected, an hour",
            "Events dropped whole, duplicates apart. Red: see Not understood for why.",
            f'sum(increase(packetfabric_stream_events_rejected_total{{{ALL}, reason!="duplicate"}}[1h]))',
            colors=((None, GREEN), (1, YELLOW), (100, RED)),
            decimals=0,
        ),
        number(
            "Names as of",
            "How old names, speeds and states are. Red: the lists cannot be fetched; see Logins refused.",
            f"max(time() - packetfabric_inventory_last_success_timestamp_seconds{{{ALL}}})",
            "s",
            colors=((None, GREEN), (900, YELLOW), (threshold("inventory_age"), RED)),
            decimals=0,
            empty="no inventory",
        ),
        number(
            "Left out",
            "Observations and circuits refused for the limit of series. Red: raise series.limit or subscribe "
            "to less.",
            f"sum(packetfabric_series_dropped_total{{{ALL}}})"
            f" + (sum(packetfabric_inventory_circuits_left_out{{{ALL}}}) or vector(0))",
            colors=((None, GREEN), (1, RED)),
        ),
        number(
            "Version",
            "What runs.",
            f"max by (version) (packetfabric_exporter_build_info{{{EXPORTER}}})",
            legend="{{version}}",
            text=True,
            colors=((None, BLUE),),
        ),
    )


def _stream(made: dashboard.Dashboard) -> None:
    lag = f"sum by (le) ({rate('packetfabric_stream_event_lag_seconds_bucket', ALL)})"
    for panel in (
        timeline(
            "State of the streams",
            "Green: streaming. Orange: waiting before the next try. Where it is not green, graphs elsewhere "
            "have gaps.",
            [(f"max by (account) ({STATE})", "{{account}}")],
            size=(24, 4),
            colors=tuple((None if index == 0 else index, color) for index, color in enumerate(COLORS)),
            mappings=MAPPING,
        ),
        graph(
            "Events",
            "Usable or not, by name. It should be level: a step down is a circuit or an event that is "
            "missing.",
            [
                (f"sum by (event) ({rate('packetfabric_stream_events_total', NUMBERS)}) > 0", "{{event}}"),
                (f"sum({rate('packetfabric_stream_events_total', LOG)})", "activity log"),
            ],
            "suffix:/s",
            size=(12, 8),
            stack=True,
        ),
        graph(
            "Lag",
            "From an event's own time to its arrival. A minute and more: the network is late, or a clock is "
            "wrong.",
            [
                (f"histogram_quantile({share}, {lag})", name)
                for share, name in ((0.5, "median"), (0.99, "99 %"))
            ],
            "s",
            size=(12, 8),
            floor=0,
            at=((None, "transparent"), (60, RED)),
        ),
        graph(
            "Streams lost",
            "By reason. 'rotated' and 'ended' are planned, every two hours; all others cost data: "
            "docs/runbook.md.",
            [(counts("packetfabric_stream_disconnects_total", "reason"), "lost {{reason}}")],
            "short",
            size=(8, 8),
            bars=True,
            step=COARSE,
            soft=(0, 1),
        ),
        graph(
            "Without a stream",
            "Share of the time in which no stream was open. Above 0: what happened then is missing.",
            [(f"sum by (account) ({rate('packetfabric_stream_gap_seconds_total', ALL)})", "{{account}}")],
            "percentunit",
            size=(8, 8),
            floor=0,
            soft=(0, 0.01),
        ),
        graph(
            "Logins refused",
            "By reason, with the lists that could not be fetched. Again and again: is the key still good? "
            "docs/runbook.md.",
            [
                (counts("packetfabric_login_failures_total", "reason"), "login {{reason}}"),
                (counts("packetfabric_inventory_refresh_failures_total", "reason"), "list {{reason}}"),
            ],
            "short",
            size=(8, 8),
            bars=True,
            step=COARSE,
            soft=(0, 1),
        ),
    ):
        made.with_panel(panel)


def _cost(made: dashboard.Dashboard) -> None:
    for panel in (
        graph(
            "Not understood",
            "Events and fields that were dropped, unknown or fell, by what they are. Unknown: look for a "
            "newer "
            "exporter. Fell: a router rebooted; again and again: docs/runbook.md.",
            [
                (counts("packetfabric_stream_events_rejected_total", "reason"), "rejected {{reason}}"),
                (counts("packetfabric_stream_unknown_fields_total", "event"), "unknown fields {{event}}"),
                (counts("packetfabric_stream_fields_rejected_total", "event"), "unusable fields {{event}}"),
                (counts("packetfabric_resets_total", "event"), "totals that fell {{event}}"),
            ],
            "short",
            size=(12, 8),
            bars=True,
            step=COARSE,
            soft=(0, 1),
        ),
        graph(
            "Series",
            "Series held, and samples in a scrape. Near series.limit: raise it.",
            [
                (f"sum by (account) (packetfabric_series{{{ALL}}})", "series of {{account}}"),
                (
                    f"scrape_samples_scraped{{{EXPORTER}}} and on (job, instance) "
                    f"packetfabric_exporter_build_info",
                    "scraped",
                ),
            ],
            "short",
            size=(12, 8),
            floor=0,
        ),
        *(
            graph(
                title, help, [(f"{expression}{OURS}", "{{instance}}")], unit, size=(8, 7), floor=0, soft=soft
            )
            for title, help, expression, unit, soft in PROCESS
        ),
    ):
        made.with_panel(panel)


def build() -> dashboard.Dashboard:
    """The whole dashboard."""
    made = board(
        "exporter",
        "Exporter",
        "Can I trust the other graphs? Whether data comes, how late, what is lost, and what it costs.",
        since="now-24h",
    )
    _heads(made)
    _stream(made)
    _cost(made)
    return made
