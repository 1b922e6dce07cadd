"""A dashboard without panels: its variables and its links to the other dashboards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from grafana.promql import EXPORTER, circuits

TAG = "packetfabric"
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
        variable.all_value(".+").current(model.VariableOption(text=["All"], value=["$__all"]))
    return variable.regex(regex) if regex else variable


def circuit(kind: str, label: str, *, multi: bool = False) -> dashboard.QueryVariable:
    """Return a variable that shows names of circuits and whose value is the ID."""
    regex = f'/name="(?<text>[^"]+)".*{kind}_circuit_id="(?<value>[^"]+)"/'
    return _query(kind, label, circuits(kind), multi=multi, regex=regex)


def new_dashboard(
    uid: str, title: str, help: str, *, since: str, variables: Sequence[Any] = ()
) -> dashboard.Dashboard:
    """Return a dashboard without panels, with the variables and links that all dashboards have."""
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
    return board
