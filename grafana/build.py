"""Writes the dashboards as JSON: ``python -m grafana.build``."""

from __future__ import annotations

import json
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana import exporter, fleet, optics, port, vc

FOLDER = Path(__file__).parent / "dashboards"
BOARDS = {
    "fleet": fleet.build,
    "port": port.build,
    "vc": vc.build,
    "optics": optics.build,
    "exporter": exporter.build,
}


def text(made: dashboard.Dashboard) -> str:
    """A dashboard as the text of its file; its panels are numbered in their order."""
    content = json.loads(JSONEncoder(sort_keys=True).encode(made.build()))
    for number, panel in enumerate(content["panels"], 1):
        panel["id"] = number
        if panel["type"] == "table":
            # The library still writes it, Grafana has moved it.
            panel["options"].pop("footer", None)
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, build in BOARDS.items():
        (FOLDER / f"{name}.json").write_text(text(build()), encoding="utf-8")
