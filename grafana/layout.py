"""What stands around the panels: variables, links between dashboards, and the empty dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from grafana.promql import EXPORTER, circuits

TAG = "packetfabric"
SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")


def url(uid: str, hands: str) -> str:
    """Where a drill-down leads: with the time and all variables, and one value handed over."""
    kept = "&".join(f"${{{name}:queryparam}}" for name in ("datasource", "job", "instance", "account"))
    return f"/d/{TAG}-{uid}?{hands}&{kept}&${{__url_time_range}}"


def _query(name: str, label: str, query: str, *, multi: bool, regex: str = "") -> dashboard.QueryVariable:
    variable = dashboard.QueryVariable(name).label(label).datasource(SOURCE).query(query).definition(query)
    variable.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
    variable.sort(model.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC).multi(multi).include_all(multi)
    if multi:
        variable.all_value(".+").current(model.VariableOption(text=["All"], value=["$__all"]))
    return variable.regex(regex) if regex else variable


def circuit(kind: str, label: str, *, multi: bool = False) -> dashboard.QueryVariable:
    """A variable that shows names and means ids."""
    regex = f'/name="(?<text>[^"]+)".*{kind}_circuit_id="(?<value>[^"]+)"/'
    return _query(kind, label, circuits(kind), multi=multi, regex=regex)


def board(
    uid: str, title: str, help: str, *, since: str, variables: Sequence[Any] = ()
) -> dashboard.Dashboard:
    """An empty dashboard with the variables and links that all have."""
    made = dashboard.Dashboard(f"PacketFabric / {title}").uid(f"{TAG}-{uid}").description(help).tags([TAG])
    made.time(since, "now").refresh("1m").readonly().timezone("browser")
    made.tooltip(model.DashboardCursorSync.CROSSHAIR)
    made.link(
        dashboard.DashboardLink("PacketFabric")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(False)
        .include_vars(True)
        .keep_time(True)
    )
    made.with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    build = "packetfabric_exporter_build_info"
    made.with_variable(_query("job", "Job", f"label_values({build}, job)", multi=True))
    instance = f'label_values({build}{{job=~"$job"}}, instance)'
    made.with_variable(_query("instance", "Exporter", instance, multi=True))
    account = f"label_values(packetfabric_up{{{EXPORTER}}}, account)"
    made.with_variable(_query("account", "Account", account, multi=True))
    for variable in variables:
        made.with_variable(variable)
    return made
