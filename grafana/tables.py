"""Tables: a row for each circuit, made of several queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models import dashboard as model

from grafana.layout import url
from grafana.panels import Steps, asking, framed


def rows(
    title: str,
    help: str,
    queries: Sequence[tuple[str, str, str]],
    labels: dict[str, str],
    *,
    size: tuple[int, int] = (24, 9),
    link: tuple[str, str, str] | None = None,
    colors: dict[str, Steps] | None = None,
    mappings: dict[str, Sequence[Any]] | None = None,
    sort: Sequence[tuple[str, bool]] = (),
    widths: dict[str, int] | None = None,
) -> table.Panel:
    """A table: a row for each circuit, columns by expression (with its unit), after the labels by name.

    ``link`` is the column that leads on, the dashboard it leads to, and what it hands over; ``sort`` says by
    which columns, and whether the greatest comes first. A column without a name is left out.
    """
    panel = framed(table.Panel(), title, help, "short", *size)
    asking(panel, [(expression, "") for expression, _, _ in queries], instant=True, rows=True)
    names = {f"Value #{chr(ord('A') + index)}": name for index, (_, name, _) in enumerate(queries)}
    if len(queries) == 1:
        names = {"Value": queries[0][1]}
    panel.with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
    hidden = [value for value, name in names.items() if not name]
    order = [*labels, *(value for value in names if value not in hidden)]
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
    for _, name, unit in queries:
        if not name:
            continue
        properties = [model.DynamicConfigValue("unit", unit)]
        if name in (mappings or {}):
            shown = {"type": "color-text"}
            properties.append(model.DynamicConfigValue("mappings", (mappings or {})[name]))
            properties.append(model.DynamicConfigValue("custom.cellOptions", shown))
        if name in (colors or {}):
            shape = {"mode": "absolute", "steps": [{"value": v, "color": c} for v, c in (colors or {})[name]]}
            shown = {"type": "color-text"}
            properties.append(model.DynamicConfigValue("thresholds", shape))
            properties.append(model.DynamicConfigValue("custom.cellOptions", shown))
        panel.override_by_name(name, properties)
    if link:
        column, uid, hands = link
        to = {"title": f"Open ${{__value.text}} in {uid}", "url": url(uid, hands), "targetBlank": False}
        panel.override_by_name(column, [model.DynamicConfigValue("links", [to])])
    for name, width in (widths or {}).items():
        panel.override_by_name(name, [model.DynamicConfigValue("custom.width", width)])
    panel.min_width(50)
    panel.sort_by([common.TableSortByFieldState().display_name(name).desc(down) for name, down in sort])
    return panel
