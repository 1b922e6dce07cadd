"""Panels in one style."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.layout import SOURCE, url

STEP = "2m"
"""The least step of graphs. The network reports at intervals of its own, perhaps a minute, however often
Prometheus scrapes; over less than two of them a rate is a saw-tooth of zeros."""

COARSE = "5m"
"""The least step of bars and shades, which finer could not be told apart over a day. A new Prometheus shows
nothing in them for as long."""

GREEN, YELLOW, ORANGE, RED, BLUE = "green", "yellow", "orange", "red", "blue"

Steps = Sequence[tuple[float | None, str]]
Query = tuple[str, str]
"""An expression, and what its series are called."""

P = TypeVar("P", timeseries.Panel, stat.Panel, bargauge.Panel, table.Panel, statetimeline.Panel)

UP_DOWN = [
    model.ValueMap(
        options={
            "0": model.ValueMappingResult(text="down", color=RED, index=0),
            "1": model.ValueMappingResult(text="up", color=GREEN, index=1),
        }
    )
]


def steps(*values: tuple[float | None, str], unknown: str | None = None) -> dashboard.ThresholdsConfig:
    """Colours from values on; the first begins at nothing. ``unknown`` is for where there is no number."""
    if unknown:
        # What has no number has the colour of the first step: never that of all being well.
        values = ((None, unknown), (-1e9, values[0][1]), *values[1:])
    return (
        dashboard.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=color) for value, color in values])
    )


def framed(panel: P, title: str, help: str, unit: str, width: int, height: int) -> P:
    """A panel with what every panel has."""
    panel.title(title).description(help).datasource(SOURCE).unit(unit)
    panel.grid_pos(model.GridPos(w=width, h=height))
    return panel


def asking(panel: P, queries: Sequence[Query], *, instant: bool = False, rows: bool = False) -> P:
    """A panel with its queries."""
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
) -> timeseries.Panel:
    """Lines over time. ``below`` draws what goes out under the axis, ``at`` draws lines at values.

    ``legend`` names what a table beside them says of each; ``soft`` is the least that the axis shows.
    """
    panel = asking(framed(timeseries.Panel(), title, help, unit, *size), queries)
    panel.interval(step).line_width(1).fill_opacity(60 if stack or bars else 10 if below or floor == 0 else 0)
    panel.show_points(looks.VisibilityMode.NEVER)
    if bars:
        panel.draw_style(looks.GraphDrawStyle.BARS)
    if stack or bars:
        panel.stacking(common.StackingConfig().mode(looks.StackingMode.NORMAL).group("A"))
    panel.legend(
        common.VizLegendOptions()
        .display_mode(looks.LegendDisplayMode.TABLE if legend else looks.LegendDisplayMode.LIST)
        .placement(looks.LegendPlacement.RIGHT if legend else looks.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(list(legend))
        .sort_by("Max" if "max" in legend else "Name")
        .sort_desc("max" in legend)
    )
    panel.tooltip(
        common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI).sort(looks.SortOrder.DESCENDING)
    )
    if floor is not None:
        panel.min(floor)
    if soft is not None:
        panel.axis_soft_min(soft[0]).axis_soft_max(soft[1])
    if below:
        panel.axis_centered_zero(True)
        sent = model.MatcherConfig(id_val="byRegexp", options="/(^| )out$/")
        panel.with_override(sent, [model.DynamicConfigValue("custom.transform", "negative-Y")])
    dashed = [
        model.DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [6, 6]}),
        model.DynamicConfigValue("custom.fillOpacity", 0),
        model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": RED}),
    ]
    limits = model.MatcherConfig(id_val="byRegexp", options="/^(limit|speed|minimum|maximum)/")
    panel.with_override(limits, dashed)
    if at:
        panel.thresholds(steps(*at))
        panel.thresholds_style(
            common.GraphThresholdsStyleConfig().mode(looks.GraphThresholdsStyleMode.DASHED)
        )
    return panel


def number(
    title: str,
    help: str,
    expression: str,
    unit: str = "short",
    *,
    colors: Steps = ((None, GREEN),),
    legend: str = "",
    mappings: Sequence[Any] = (),
    decimals: int | None = None,
    empty: str = "none",
    text: bool = False,
) -> stat.Panel:
    """One number of now, coloured by what it means; ``text`` shows the legend in its place."""
    panel = asking(framed(stat.Panel(), title, help, unit, 4, 4), [(expression, legend)], instant=True)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.thresholds(steps(*colors, unknown="text")).color_mode(looks.BigValueColorMode.VALUE)
    panel.graph_mode(looks.BigValueGraphMode.NONE).mappings(list(mappings)).no_value(empty)
    if text:
        panel.text_mode(looks.BigValueTextMode.NAME)
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
    """Bars of now, one for each series, in the order of the expression."""
    panel = asking(framed(bargauge.Panel(), title, help, unit, *size), [(expression, legend)], instant=True)
    panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    panel.orientation(looks.VizOrientation.HORIZONTAL).display_mode(looks.BarGaugeDisplayMode.BASIC)
    panel.show_unfilled(True).thresholds(steps(*colors, unknown="text")).no_value(empty).decimals(1)
    panel.name_placement(looks.BarGaugeNamePlacement.LEFT).sizing(looks.BarGaugeSizing.MANUAL)
    panel.min_viz_height(14).max_viz_height(24).text(common.VizTextDisplayOptions().value_size(14))
    if low is not None:
        panel.min(low)
    if high is not None:
        panel.max(high)
    return panel


def timeline(
    title: str,
    help: str,
    queries: Sequence[Query],
    unit: str = "short",
    *,
    size: tuple[int, int] = (24, 6),
    colors: Steps = ((None, RED), (1, GREEN)),
    mappings: Sequence[Any] = (),
    step: str = STEP,
) -> statetimeline.Panel:
    """What has been in which state, and when."""
    panel = asking(framed(statetimeline.Panel(), title, help, unit, *size), queries)
    panel.interval(step).thresholds(steps(*colors)).mappings(list(mappings)).fill_opacity(75).line_width(0)
    panel.show_value(looks.VisibilityMode.NEVER)
    panel.color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    panel.legend(
        common.VizLegendOptions().show_legend(False).display_mode(looks.LegendDisplayMode.LIST).calcs([])
    )
    panel.merge_values(True).row_height(0.8)
    return panel


def linked(panel: P, title: str, uid: str, hands: str) -> P:
    """A panel whose series lead on to another dashboard."""
    panel.data_links([dashboard.DashboardLink(title).url(url(uid, hands))])
    return panel


def across(made: dashboard.Dashboard, *panels: stat.Panel) -> None:
    """Panels side by side from edge to edge."""
    for panel in panels:
        made.with_panel(panel.grid_pos(model.GridPos(w=24 // len(panels), h=4)))
