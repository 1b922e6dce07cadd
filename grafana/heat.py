"""A heat map of a histogram in a common style."""

from __future__ import annotations

from grafana_foundation_sdk.builders import heatmap as builder
from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.models import common as common_model
from grafana_foundation_sdk.models import heatmap as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.layout import SOURCE
from grafana.panels import COARSE, with_frame


def heatmap(title: str, help: str, expression: str, legend: str, unit: str) -> builder.Panel:
    """Return a panel of the distribution of a histogram's values over time."""
    panel = with_frame(builder.Panel(), title, help, "short", (12, 8))
    query = prometheus.Dataquery().datasource(SOURCE).expr(expression).legend_format(legend).ref_id("A")
    panel.with_target(query.range().format(PromQueryFormat.HEATMAP)).interval(COARSE)
    panel.calculate(False).cell_gap(1).show_value(common_model.VisibilityMode.NEVER)
    panel.y_axis(builder.YAxisConfig().unit(unit).axis_placement(common_model.AxisPlacement.LEFT))
    panel.color(
        builder.HeatmapColorOptions()
        .mode(model.HeatmapColorMode.SCHEME)
        .scheme("Oranges")
        .scale(model.HeatmapColorScale.EXPONENTIAL)
        .exponent(0.5)
        .steps(64)
        .reverse(False)
        .fill("dark-orange")
    )
    panel.tooltip(
        builder.HeatmapTooltip().mode(common_model.TooltipDisplayMode.SINGLE).show_color_scale(True)
    )
    panel.filter_values(builder.FilterValueRange().le(1e-9))
    return panel
