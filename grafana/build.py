"""Write the dashboards as JSON: ``python -m grafana.build``."""

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


def text(board: dashboard.Dashboard) -> str:
    """Return the content of a dashboard's file; panel IDs follow the order of the panels."""
    content = json.loads(JSONEncoder(sort_keys=True).encode(board.build()))
    for stat_panel, panel in enumerate(content["panels"], 1):
        panel["id"] = stat_panel
        if panel["type"] == "table":
            # The library writes this option, which current Grafana no longer has.
            panel["options"].pop("footer", None)
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, build in BOARDS.items():
        (FOLDER / f"{name}.json").write_text(text(build()), encoding="utf-8")
