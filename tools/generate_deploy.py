"""Writes the files here that repeat what stands elsewhere: ``python -m tools.generate_deploy``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "deploy"
MARK = "# Made from {} by `python -m tools.generate_deploy`.\n"


class _Dumper(yaml.SafeDumper):
    """YAML as people write it: a text of several lines, or a very long one, as a block."""

    def represent_str(self, text: str) -> yaml.ScalarNode:
        style = "|" if "\n" in text or len(text) > 1000 else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_str)


def _manifests(source: str, objects: Iterable[dict[str, Any]]) -> str:
    dumped = yaml.dump_all(
        objects, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, explicit_start=True
    )
    return MARK.format(source) + dumped


def _metadata(name: str, **labels: str) -> dict[str, Any]:
    return {"name": name, "labels": {"app.kubernetes.io/name": "pf-exporter"} | labels}


def rules() -> str:
    """The rule files as objects of the Prometheus operator."""
    return _manifests(
        "prometheus/",
        (
            {
                "apiVersion": "monitoring.coreos.com/v1",
                "kind": "PrometheusRule",
                "metadata": _metadata(f"packetfabric-{name}"),
                "spec": yaml.safe_load((ROOT / "prometheus" / f"{name}.yml").read_text(encoding="utf-8")),
            }
            for name in ("rules", "alerts")
        ),
    )


def dashboards() -> str:
    """The dashboards as ConfigMaps, which Grafana's sidecar looks for by their label.

    One for each, and without spaces: ``kubectl apply`` keeps a copy of an object in an annotation of it, and
    those may have 256 KiB.
    """
    return _manifests(
        "grafana/dashboards/",
        (
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": _metadata(f"packetfabric-dashboard-{path.stem}", grafana_dashboard="1")
                | {"annotations": {"grafana_folder": "PacketFabric"}},
                "data": {
                    f"packetfabric-{path.name}": json.dumps(
                        json.loads(path.read_text(encoding="utf-8")),
                        separators=(",", ":"),
                        ensure_ascii=False,
                    )
                },
            }
            for path in sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
        ),
    )


def _at_home(source: str, **hosts: str) -> str:
    """A file of ours with hosts' names in place of localhost, by ``host=port``; comments at its top go."""
    text = (ROOT / source).read_text(encoding="utf-8")
    while text.startswith("#"):
        text = text.partition("\n")[2]
    for host, port in hosts.items():
        text = text.replace(f"localhost:{port}", f"{host}:{port}")
    return MARK.format(source) + text


def prometheus() -> str:
    """Prometheus' configuration, for a network where each service has a name."""
    return _at_home("prometheus/prometheus.yml", exporter="10054", alertmanager="9093")


def datasource() -> str:
    """Grafana's data source, likewise."""
    return _at_home("grafana/provisioning/datasources/prometheus.yml", prometheus="9090")


FILES = {
    "compose/datasource.yml": datasource,
    "compose/prometheus.yml": prometheus,
    "kubernetes/dashboards.yaml": dashboards,
    "kubernetes/rules.yaml": rules,
}
"""The files, below this folder, and what makes them."""

if __name__ == "__main__":
    for name, make in FILES.items():
        (FOLDER / name).write_text(make(), encoding="utf-8")
