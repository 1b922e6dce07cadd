"""Panels in a common style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    geomap,
    heatmap,
    nodegraph,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.layout import SOURCE, url

STEP = "2m"
"""The minimum step of graphs. PacketFabric reports at its own interval, up to a minute, regardless of the
scrape interval; a rate over less than two of those intervals alternates with zero."""

COARSE = "10m"
"""The minimum step of bars, of shades, which are too narrow over a day with a smaller one, and of counters,
which then have two samples in each step even if PacketFabric reports every five minutes."""

DBM = "suffix:dBm"
"""Grafana's own unit is written "dbm"."""

GREEN, YELLOW, ORANGE, RED, BLUE = "green", "yellow", "orange", "red", "blue"

Steps = Sequence[tuple[float | None, str]]
Query = tuple[str, str]
"""An expression, and the legend of its series."""

P = TypeVar(
    "P",
    timeseries.Panel,
    stat.Panel,
    bargauge.Panel,
    table.Panel,
    statetimeline.Panel,
    heatmap.Panel,
    nodegraph.Panel,
    geomap.Panel,
)


def state_names(names: Sequence[tuple[str, str]], first: int = 0) -> list[model.ValueMap]:
    """Return the names and colors of the values ``first``, ``first`` + 1, … as mappings."""
    return [
        model.ValueMap(
            options={
                str(first + index): model.ValueMappingResult(text=text, color=color, index=index)
                for index, (text, color) in enumerate(names)
            }
        )
    ]


UP_DOWN = state_names((("down", RED), ("up", GREEN)))


def steps(*values: tuple[float | None, str], unknown: str | None = None) -> dashboard.ThresholdsConfig:
    """Return color thresholds; the first has no lower bound. ``unknown`` is the color without a value."""
    if unknown:
        # Grafana uses the first color if there is no value, which must not be the one for "good".
        values = ((None, unknown), (-1e9, values[0][1]), *values[1:])
    return (
        dashboard.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=color) for value, color in values])
    )


def with_frame(panel: P, title: str, help: str, unit: str, size: tuple[int, int]) -> P:
    """Set the properties that every panel has, and return the panel."""
    panel.title(title).description(help).datasource(SOURCE).unit(unit)
    panel.grid_pos(model.GridPos(w=size[0], h=size[1]))
    return panel


def with_queries(panel: P, queries: Sequence[Query], *, instant: bool = False, rows: bool = False) -> P:
    """Add queries to a panel, and return it; ``rows`` returns them as tables."""
    for index, (expression, legend) in enumerate(queries):
        query = prometheus.Dataquery().datasource(SOURCE).expr(expression).legend_format(legend)
        query.ref_id(chr(ord("A") + index))
        if instant:
            query.instant()
        else:
            query.range()
        if rows:
            query.format(PromQueryFormat.TABLE)
        panel.with_target(query)
    return panel


def graph(
    title: str,
    help: str,
    queries: Sequence[Query],
    unit: str,
    *,
    size: tuple[int, int] = (12, 8),
    below: bool = False,
    stack: bool = False,
    bars: bool = False,
    legend: Sequence[str] = (),
    floor: float | None = None,
    soft: tuple[float, float] | None = None,
    step: str = STEP,
    at: Steps = (),
    empty: str = "",
) -> timeseries.Panel:
    """Return a time series panel; ``below`` draws transmitted traffic below the axis, ``at`` thresholds.

    ``legend`` is the columns of a table next to the graph; ``soft`` is the minimum range of the axis;
    ``empty`` is shown if there is no series.
    """
    panel = with_queries(with_frame(timeseries.Panel(), title, help, unit, size), queries)
    panel.interval(step).line_width(1).fill_opacity(60 if stack or bars else 10 if below or floor == 0 else 0)
    panel.show_points(common_model.VisibilityMode.NEVER)
    if bars:
        panel.draw_style(common_model.GraphDrawStyle.BARS)
    if stack or bars:
        panel.stacking(common.StackingConfig().mode(common_model.StackingMode.NORMAL).group("A"))
    panel.legend(
        common.VizLegendOptions()
        .display_mode(common_model.LegendDisplayMode.TABLE if legend else common_model.LegendDisplayMode.LIST)
        .placement(common_model.LegendPlacement.RIGHT if legend else common_model.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(list(legend))
        .sort_by("Max" if "max" in legend else "Min" if "min" in legend else "Name")
        .sort_desc("max" in legend)
    )
    panel.tooltip(
        common.VizTooltipOptions()
        .mode(common_model.TooltipDisplayMode.MULTI)
        .sort(common_model.SortOrder.DESCENDING)
    )
    if empty:
        panel.no_value(empty)
    if floor is not None:
        panel.min(floor)
    if soft is not None:
        panel.axis_soft_min(soft[0]).axis_soft_max(soft[1])
    if below:
        panel.axis_centered_zero(True)
        outgoing = model.MatcherConfig(id_val="byRegexp", options="/(^| )transmit$/")
        panel.with_override(outgoing, [model.DynamicConfigValue("custom.transform", "negative-Y")])
    dashed = [
        model.DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [6, 6]}),
        model.DynamicConfigValue("custom.fillOpacity", 0),
        model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": RED}),
    ]
    dotted = [
        model.DynamicConfigValue("custom.lineStyle", {"fill": "dot", "dash": [2, 6]}),
        model.DynamicConfigValue("custom.fillOpacity", 0),
        model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "text"}),
    ]
    panel.with_override(model.MatcherConfig(id_val="byRegexp", options="/^last week/"), dotted)
    limits = model.MatcherConfig(id_val="byRegexp", options="/^(capacity|minimum|maximum)/")
    panel.with_override(limits, dashed)
    if at:
        panel.thresholds(steps(*at))
        panel.thresholds_style(
            common.GraphThresholdsStyleConfig().mode(common_model.GraphThresholdsStyleMode.DASHED)
        )
    return panel


def stat_panel(
    title: str,
    help: str,
    expression: str,
    unit: str = "none",
    *,
    colors: Steps = ((None, GREEN),),
    legend: str = "",
    mappings: Sequence[Any] = (),
    decimals: int | None = None,
    empty: str = "none",
    text: bool = False,
) -> stat.Panel:
    """Return a panel with one current value, colored by thresholds; ``text`` shows the legend instead."""
    panel = with_queries(
        with_frame(stat.Panel(), title, help, unit, (4, 4)), [(expression, legend)], instant=True
    )
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.thresholds(steps(*colors, unknown="text")).color_mode(common_model.BigValueColorMode.VALUE)
    panel.graph_mode(common_model.BigValueGraphMode.NONE).mappings(list(mappings)).no_value(empty)
    if text:
        panel.text_mode(common_model.BigValueTextMode.NAME)
    if decimals is not None:
        panel.decimals(decimals)
    return panel


def bars(
    title: str,
    help: str,
    expression: str,
    legend: str,
    unit: str,
    *,
    colors: Steps = ((None, BLUE),),
    size: tuple[int, int] = (12, 9),
    low: float | None = None,
    high: float | None = None,
    empty: str = "none",
) -> bargauge.Panel:
    """Return a panel with one bar per series with its current value, in the order of the expression."""
    panel = with_queries(
        with_frame(bargauge.Panel(), title, help, unit, size), [(expression, legend)], instant=True
    )
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.orientation(common_model.VizOrientation.HORIZONTAL).display_mode(
        common_model.BarGaugeDisplayMode.BASIC
    )
    panel.show_unfilled(True).thresholds(steps(*colors, unknown="text")).no_value(empty).decimals(1)
    panel.name_placement(common_model.BarGaugeNamePlacement.LEFT).sizing(common_model.BarGaugeSizing.MANUAL)
    panel.min_viz_height(14).max_viz_height(24).text(common.VizTextDisplayOptions().value_size(14))
    if low is not None:
        panel.min(low)
    if high is not None:
        panel.max(high)
    return panel


def state_timeline(
    title: str,
    help: str,
    queries: Sequence[Query],
    unit: str = "short",
    *,
    size: tuple[int, int] = (24, 6),
    colors: Steps = ((None, RED), (1, GREEN)),
    mappings: Sequence[Any] = (),
    step: str = STEP,
    empty: str = "none",
    named: bool = False,
) -> statetimeline.Panel:
    """Return a panel with the states of each series over time; ``named`` writes each state on its bar."""
    panel = with_queries(with_frame(statetimeline.Panel(), title, help, unit, size), queries)
    panel.interval(step).thresholds(steps(*colors)).mappings(list(mappings)).fill_opacity(75).line_width(0)
    panel.show_value(common_model.VisibilityMode.AUTO if named else common_model.VisibilityMode.NEVER)
    panel.color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    panel.legend(
        common.VizLegendOptions()
        .show_legend(False)
        .display_mode(common_model.LegendDisplayMode.LIST)
        .calcs([])
    )
    panel.merge_values(True).row_height(0.8).no_value(empty)
    return panel


def with_link(panel: P, title: str, uid: str, parameters: str) -> P:
    """Link the series of a panel to another dashboard, and return the panel."""
    panel.data_links([dashboard.DashboardLink(title).url(url(uid, parameters))])
    return panel


def add_stat_row(board: dashboard.Dashboard, *panels: stat.Panel) -> None:
    """Add panels side by side over the whole width."""
    for panel in panels:
        board.with_panel(panel.grid_pos(model.GridPos(w=24 // len(panels), h=4)))
