"""Dashboards as grafana.com wants them: with the data source as an input, and with requirements."""

from __future__ import annotations

import json
from typing import Any

GRAFANA = "11.0.0"
"""The earliest version that the dashboards are made for."""
PANELS = {
    "bargauge": "Bar gauge",
    "geomap": "Geomap",
    "heatmap": "Heatmap",
    "nodeGraph": "Node Graph",
    "stat": "Stat",
    "state-timeline": "State timeline",
    "table": "Table",
    "timeseries": "Time series",
}
"""The names of panel types."""
_INPUT = "DS_PROMETHEUS"


def for_grafana_com(text: str) -> str:
    """Return the text of a dashboard's file with ``__inputs`` and ``__requires``.

    The variable for the data source becomes an input, because grafana.com shows which data sources a
    dashboard needs.
    """
    content = json.loads(
        text.replace("${datasource:queryparam}&", "").replace("${datasource}", f"${{{_INPUT}}}")
    )
    variables = content["templating"]["list"]
    content["templating"]["list"] = [item for item in variables if item["type"] != "datasource"]
    types = sorted({panel["type"] for panel in content["panels"]})
    content |= {
        "__inputs": [
            {
                "name": _INPUT,
                "label": "Prometheus",
                "description": "The Prometheus that scrapes the exporter.",
                "type": "datasource",
                "pluginId": "prometheus",
                "pluginName": "Prometheus",
            }
        ],
        "__elements": {},
        "__requires": [
            _requirement("grafana", "grafana", "Grafana", GRAFANA),
            _requirement("datasource", "prometheus", "Prometheus", "1.0.0"),
            *(_requirement("panel", type_, PANELS[type_], "") for type_ in types),
        ],
        "id": None,
    }
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _requirement(kind: str, plugin: str, name: str, version: str) -> dict[str, Any]:
    return {"type": kind, "id": plugin, "name": name, "version": version}
