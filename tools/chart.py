"""Write the Helm chart, with its rules and dashboards: ``python -m tools.chart``, or ``make chart``."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path

import yaml

from pf_exporter import __version__
from tools import generate_rules
from tools.archives import write_archive

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "deploy" / "helm" / "pf-exporter"
IMAGE = "  repository: pf-exporter\n"
"""The line of values.yaml with the image."""


def chart_files(image: str, runbook_base: str, url: str) -> dict[str, bytes]:
    """Return the files of the chart by their path in it."""
    files = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for path in FOLDER.rglob("*")
        if path.is_file() and path.parent.name != "ci"
    }
    for name, content in generate_rules.evaluate(generate_rules.overrides_of(runbook_base, None)).items():
        files[f"files/{name}"] = generate_rules.text(name, content).encode()
    files |= {f"files/dashboards/{name}": content for name, content in _dashboards()}
    files["LICENSE"] = (ROOT / "LICENSE").read_bytes()
    if url:
        files["Chart.yaml"] += yaml.safe_dump({"home": url, "sources": [url]}).encode()
    if image:
        values = files["values.yaml"].decode()
        if values.count(IMAGE) != 1:
            raise ValueError(f"values.yaml has no line {IMAGE!r}")
        files["values.yaml"] = values.replace(IMAGE, f"  repository: {image}\n").encode()
    return files


def _dashboards() -> Iterator[tuple[str, bytes]]:
    # Compact, because Helm stores the chart in a Secret, which is limited to 1 MiB.
    for path in (ROOT / "grafana" / "dashboards").glob("*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        yield path.name, json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def write_chart(folder: Path, image: str = "", runbook_base: str = "", url: str = "") -> Path:
    """Write the chart's archive to a folder, and return its path."""
    path = folder / f"pf-exporter-{__version__}.tgz"
    files = chart_files(image, runbook_base, url)
    write_archive(path, {f"pf-exporter/{name}": content for name, content in files.items()})
    return path


def main() -> None:
    """Write the chart that the command line describes."""
    parser = argparse.ArgumentParser(prog="python -m tools.chart", description=__doc__)
    parser.add_argument("--to", type=Path, required=True, help="folder for the archive")
    parser.add_argument("--image", default="", help="image without tag, the default of image.repository")
    parser.add_argument("--runbook-base", default="", help="URL of the project's files, for runbook links")
    options = parser.parse_args()
    print(write_chart(options.to, options.image, options.runbook_base, os.environ.get("PROJECT_URL", "")))


if __name__ == "__main__":
    main()
