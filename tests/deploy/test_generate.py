"""The generated files match their sources."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.conftest import tool
from tests.deploy import DEPLOY, ROOT, read
from tests.yaml_loader import load_all_yaml
from tools import generate_shell_files
from tools.generate_deploy import FILES as DEPLOY_FILES

FILES = DEPLOY_FILES | generate_shell_files.FILES


@pytest.mark.parametrize("name", FILES)
def test_generated_files_are_current(name: str) -> None:
    """Each generated file equals what its sources generate now."""
    made = (DEPLOY / name).read_text(encoding="utf-8")
    assert made == FILES[name](), f"deploy/{name} is out of date: run `make docs`"


def test_make_docs_generates_everything() -> None:
    """`make docs` runs both generators."""
    command = [tool("make"), "--dry-run", "docs"]
    recipe = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    ran = [line.partition(" -m ")[2] for line in recipe.splitlines() if ".generate_" in line]
    assert ran == ["tools.generate_docs", "tools.generate_deploy", "tools.generate_shell_files"]


def test_rules_are_complete() -> None:
    """The PrometheusRule objects contain the groups of the rule files unchanged."""
    made = load_all_yaml((DEPLOY / "kubernetes" / "rules.yaml").read_text(encoding="utf-8"))
    sources = [read(ROOT / "prometheus" / name) for name in ("rules.yml", "alerts.yml")]
    assert [item["spec"] for item in made] == sources


def test_dashboards_are_complete() -> None:
    """Each dashboard is unchanged in a ConfigMap for the sidecar, small enough for kubectl apply."""
    sources = {
        path.name: json.loads(path.read_text()) for path in (ROOT / "grafana/dashboards").glob("*.json")
    }
    found = {}
    for item in load_all_yaml((DEPLOY / "kubernetes" / "dashboards.yaml").read_text(encoding="utf-8")):
        assert item["metadata"]["labels"]["grafana_dashboard"] == "1"
        # kubectl apply stores a copy of the object in an annotation of at most 256 KiB.
        assert len(json.dumps(item).encode()) < 256 * 1024
        ((name, text),) = item["data"].items()
        found[name.removeprefix("packetfabric-")] = json.loads(text)
    assert found == sources != {}
