"""Table panels with one row per circuit, merged from several queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models import dashboard as model

from grafana.layout import url
from grafana.panels import Steps, with_frame, with_queries


def rows(
    title: str,
    help: str,
    queries: Sequence[tuple[str, str, str]],
    labels: dict[str, str],
    *,
    size: tuple[int, int] = (24, 9),
    highest: tuple[str, Sequence[str], str] | None = None,
    links: Sequence[tuple[str, str, str]] = (),
    colors: Mapping[str, Steps] | None = None,
    mappings: dict[str, Sequence[Any]] | None = None,
    sort: Sequence[tuple[str, bool]] = (),
    widths: dict[str, int] | None = None,
) -> table.Panel:
    """Return a table: columns for ``labels`` by name, then for ``queries``: expression, name and unit.

    ``links`` are columns, the dashboards they link to, and the URL parameters; ``sort`` is the columns to
    sort by, with True for descending. ``highest`` is another column, which comes first: its name, the columns
    of which it is the highest value, and its unit. A query without a name is not shown.
    """
    panel = with_frame(table.Panel(), title, help, "short", size)
    with_queries(panel, [(expression, "") for expression, _, _ in queries], instant=True, rows=True)
    names = {f"Value #{chr(ord('A') + index)}": name for index, (_, name, _) in enumerate(queries)}
    if len(queries) == 1:
        names = {"Value": queries[0][1]}
    panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    shown = [value for value, name in names.items() if name]
    columns = [(name, unit) for _, name, unit in queries if name]
    if highest:
        name, of, unit = highest
        reduce = {"reducer": "max", "include": [value for value in shown if names[value] in of]}
        options = {"mode": "reduceRow", "reduce": reduce, "alias": name}
        panel.with_transformation(model.DataTransformerConfig(id_val="calculateField", options=options))
        shown.insert(0, name)
        columns.insert(0, (name, unit))
    order = [*labels, *shown]
    panel.with_transformation(
        model.DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"names": order}})
    )
    panel.with_transformation(
        model.DataTransformerConfig(
            id_val="organize",
            options={
                "indexByName": {name: index for index, name in enumerate(order)},
                "renameByName": labels | {value: names[value] for value in order if value in names},
                "excludeByName": {},
                "includeByName": {},
            },
        )
    )
    for name, unit in columns:
        properties = [model.DynamicConfigValue("unit", unit)]
        if name in (mappings or {}):
            colored_text = {"type": "color-text"}
            properties.append(model.DynamicConfigValue("mappings", (mappings or {})[name]))
            properties.append(model.DynamicConfigValue("custom.cellOptions", colored_text))
        if name in (colors or {}):
            thresholds = {
                "mode": "absolute",
                "steps": [{"value": v, "color": c} for v, c in (colors or {})[name]],
            }
            colored_text = {"type": "color-text"}
            properties.append(model.DynamicConfigValue("thresholds", thresholds))
            properties.append(model.DynamicConfigValue("custom.cellOptions", colored_text))
        panel.override_by_name(name, properties)
    for column, uid, parameters in links:
        target = {
            "title": f"Open ${{__value.text}} in {uid}",
            "url": url(uid, parameters),
            "targetBlank": False,
        }
        panel.override_by_name(column, [model.DynamicConfigValue("links", [target])])
    for name, width in (widths or {}).items():
        panel.override_by_name(name, [model.DynamicConfigValue("custom.width", width)])
    for name, values in (mappings or {}).items():
        if name in labels.values():
            colored = [
                model.DynamicConfigValue("mappings", values),
                model.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
            ]
            panel.override_by_name(name, colored)
    panel.min_width(50)
    panel.sort_by([common.TableSortByFieldState().display_name(name).desc(down) for name, down in sort])
    return panel
