"""Write the dashboards as JSON: ``python -m grafana.build``.

``--grafana-com DIR`` writes them to DIR instead, for an upload to grafana.com.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana import billing, capacity, cloud_router, exporter, fleet, maintenance, optics, pops, port, vc
from grafana.export import for_grafana_com

FOLDER = Path(__file__).parent / "dashboards"
BOARDS = {
    "fleet": fleet.build,
    "port": port.build,
    "vc": vc.build,
    "optics": optics.build,
    "capacity": capacity.build,
    "pops": pops.build,
    "billing": billing.build,
    "cloud-router": cloud_router.build,
    "maintenance": maintenance.build,
    "exporter": exporter.build,
}


def text(board: dashboard.Dashboard) -> str:
    """Return the content of a dashboard's file; panel IDs follow the order of the panels."""
    content = json.loads(JSONEncoder(sort_keys=True).encode(board.build()))
    for number, panel in enumerate(content["panels"], 1):
        panel["id"] = number
        if panel["type"] == "table":
            # The library writes this option, which current Grafana no longer has.
            panel["options"].pop("footer", None)
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the files that the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m grafana.build", description="Writes the dashboards as JSON."
    )
    parser.add_argument("--grafana-com", type=Path, metavar="DIR", help="write files for grafana.com to DIR")
    folder: Path | None = parser.parse_args().grafana_com
    (folder or FOLDER).mkdir(parents=True, exist_ok=True)
    for name, build in BOARDS.items():
        content = text(build())
        if folder:
            content = for_grafana_com(content)
        ((folder or FOLDER) / f"{name}.json").write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
