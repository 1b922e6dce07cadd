"""A dashboard without panels: its variables and its links to the other dashboards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import dashboard, prometheus
from grafana_foundation_sdk.models import dashboard as model

from grafana.promql import ALL, EXPORTER, circuits

TAG = "packetfabric"
ANNOTATION_STEP = "60s"
SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")


def url(uid: str, parameters: str) -> str:
    """Return the URL of a dashboard with the current time range and variables, and with ``parameters``."""
    variables = "&".join(f"${{{name}:queryparam}}" for name in ("datasource", "job", "instance", "account"))
    return f"/d/{TAG}-{uid}?{parameters}&{variables}&${{__url_time_range}}"


def _query(name: str, label: str, query: str, *, multi: bool, regex: str = "") -> dashboard.QueryVariable:
    variable = dashboard.QueryVariable(name).label(label).datasource(SOURCE).query(query).definition(query)
    variable.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
    variable.sort(model.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC).multi(multi).include_all(multi)
    if multi:
        # Not ".+": recording rules that fold replicas have no instance.
        variable.all_value(".*").current(model.VariableOption(text=["All"], value=["$__all"]))
    return variable.regex(regex) if regex else variable


def circuit(kind: str, label: str, *, multi: bool = False) -> dashboard.QueryVariable:
    """Return a variable that shows names of circuits and whose value is the ID."""
    regex = f'/name="(?<text>[^"]+)".*{kind}_circuit_id="(?<value>[^"]+)"/'
    return _query(kind, label, circuits(kind), multi=multi, regex=regex)


def place() -> tuple[dashboard.QueryVariable, dashboard.QueryVariable]:
    """Return the variables for POPs and markets; ``promql.here`` applies them."""
    info = f"packetfabric_port_info{{{ALL}"
    return (
        _query("market", "Market", f"label_values({info}}}, market)", multi=True),
        _query("pop", "POP", f'label_values({info}, market=~"$market"}}, pop)', multi=True),
    )


def _annotation(
    name: str, color: str, expression: str, title: str, *, shown: bool
) -> dashboard.AnnotationQuery:
    annotation = dashboard.AnnotationQuery().name(name).datasource(SOURCE).icon_color(color).enable(shown)
    # Grafana 11 reads the expression and the step here; newer versions move them to the target.
    annotation.expr(expression).step(ANNOTATION_STEP).title_format(title)
    target = prometheus.Dataquery().datasource(SOURCE).expr(expression).interval(ANNOTATION_STEP).range()
    return annotation.target(target.ref_id("Anno"))


def _add_annotations(board: dashboard.Dashboard, alerts: str, *, own: bool) -> None:
    """Add what explains a step or a gap in a graph."""
    restarts = f"changes(process_start_time_seconds{{{EXPORTER}}}[2m]) > 0"
    maintenance = "account, maintenance"
    disconnects = f"increase(packetfabric_stream_disconnects_total{{{ALL}, reason"
    for query in (
        _annotation(
            "Alerts",
            "red",
            f'ALERTS{{alertname=~"PacketFabric.+", alertstate="firing", {alerts}}}',
            "{{alertname}} {{port_circuit_id}}{{vc_circuit_id}}",
            shown=True,
        ),
        _annotation(
            "Maintenance",
            "light-blue",
            f"max by ({maintenance}, ticket, type) (packetfabric_maintenance_info{{{ALL}}})"
            f" and on ({maintenance}) packetfabric_maintenance_start_timestamp_seconds{{{ALL}}} <= time()"
            f" and on ({maintenance}) packetfabric_maintenance_end_timestamp_seconds{{{ALL}}} > time()",
            "Maintenance {{ticket}} ({{type}})",
            shown=True,
        ),
        _annotation(
            "Exporter restarts",
            "purple",
            f"{restarts} and on (job, instance) packetfabric_exporter_build_info",
            "The exporter {{instance}} restarted",
            shown=True,
        ),
        _annotation(
            "Stream lost",
            "orange",
            f'{disconnects}!~"rotated|ended"}}[2m]) > 0',
            "Stream of {{account}} lost: {{reason}}",
            shown=True,
        ),
        _annotation(
            "Stream rotated",
            "blue",
            f'{disconnects}=~"rotated|ended"}}[2m]) > 0',
            "Stream of {{account}} replaced as planned",
            shown=own,
        ),
        _annotation(
            "Counter resets",
            "yellow",
            f"increase(packetfabric_resets_total{{{ALL}}}[2m]) > 0",
            "Counters of {{event}} reset",
            shown=True,
        ),
    ):
        board.annotation(query)


def new_dashboard(
    uid: str,
    title: str,
    help: str,
    *,
    since: str,
    variables: Sequence[Any] = (),
    alerts: str = 'account=~"$account|"',
    own: bool = False,
) -> dashboard.Dashboard:
    """Return a dashboard without panels, with the variables, annotations and links that all dashboards have.

    ``alerts`` selects the alerts that are marked in its graphs; ``own`` also marks planned
    changes of the stream.
    """
    board = dashboard.Dashboard(f"PacketFabric / {title}").uid(f"{TAG}-{uid}").description(help).tags([TAG])
    board.time(since, "now").refresh("1m").readonly().timezone("browser")
    board.tooltip(model.DashboardCursorSync.CROSSHAIR)
    board.link(
        dashboard.DashboardLink("PacketFabric")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(False)
        .include_vars(True)
        .keep_time(True)
    )
    board.with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    build = "packetfabric_exporter_build_info"
    board.with_variable(_query("job", "Job", f"label_values({build}, job)", multi=True))
    instance = f'label_values({build}{{job=~"$job"}}, instance)'
    board.with_variable(_query("instance", "Exporter", instance, multi=True))
    account = f"label_values(packetfabric_up{{{EXPORTER}}}, account)"
    board.with_variable(_query("account", "Account", account, multi=True))
    for variable in variables:
        board.with_variable(variable)
    _add_annotations(board, alerts, own=own)
    return board
