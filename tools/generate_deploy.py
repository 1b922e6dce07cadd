"""Generate the files in deploy/ that are derived from other files: ``python -m tools.generate_deploy``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "deploy"
MARK = "# Generated from {} by `python -m tools.generate_deploy`.\n"


class _Dumper(yaml.SafeDumper):
    """A YAML dumper that writes multi-line and very long strings as block scalars."""

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
    """Return the rule files as PrometheusRule objects of the Prometheus operator."""
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
    """Return the dashboards as ConfigMaps with the label that Grafana's sidecar selects.

    One per dashboard, as compact JSON: ``kubectl apply`` stores a copy of an object in an annotation, which
    is limited to 256 KiB.
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


def _with_service_names(source: str, **hosts: str) -> str:
    """Return a file with ``localhost:PORT`` replaced by ``host:PORT``, without the comment at its top."""
    text = (ROOT / source).read_text(encoding="utf-8")
    while text.startswith("#"):
        text = text.partition("\n")[2]
    for host, port in hosts.items():
        text = text.replace(f"localhost:{port}", f"{host}:{port}")
    return MARK.format(source) + text


def prometheus() -> str:
    """Return the configuration of Prometheus with the service names of compose.yaml."""
    return _with_service_names("prometheus/prometheus.yml", exporter="10054", alertmanager="9093")


def datasource() -> str:
    """Return the data source of Grafana with the service names of compose.yaml."""
    return _with_service_names("grafana/provisioning/datasources/prometheus.yml", prometheus="9090")


FILES = {
    "compose/datasource.yml": datasource,
    "compose/prometheus.yml": prometheus,
    "kubernetes/dashboards.yaml": dashboards,
    "kubernetes/rules.yaml": rules,
}
"""The generated files by their path in deploy/, and their generators."""

if __name__ == "__main__":
    for name, generate in FILES.items():
        (FOLDER / name).write_text(generate(), encoding="utf-8")
