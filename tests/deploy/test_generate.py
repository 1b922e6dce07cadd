"""Files that are made are what their sources say."""

from __future__ import annotations

import json
import subprocess

import pytest
import yaml

from tests.conftest import tool
from tests.deploy import DEPLOY, ROOT, read
from tools.generate_deploy import FILES


@pytest.mark.parametrize("name", FILES)
def test_no_file_drifted(name: str) -> None:
    """A file that is made is what would be made of its sources now."""
    made = (DEPLOY / name).read_text(encoding="utf-8")
    assert made == FILES[name](), f"deploy/{name} is old: `make docs`"


def test_make_docs_makes_them() -> None:
    """One command renews everything that is made from something else: the pages and these files."""
    command = [tool("make"), "--dry-run", "docs"]
    recipe = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    ran = [line.partition(" -m ")[2] for line in recipe.splitlines() if ".generate_" in line]
    assert ran == ["tools.generate_docs", "tools.generate_deploy"]


def test_rules_lost_nothing() -> None:
    """The objects of the operator hold the rule files' groups, all and unchanged."""
    made = yaml.safe_load_all((DEPLOY / "kubernetes" / "rules.yaml").read_text(encoding="utf-8"))
    sources = [read(ROOT / "prometheus" / name) for name in ("rules.yml", "alerts.yml")]
    assert [one["spec"] for one in made] == sources


def test_dashboards_lost_nothing() -> None:
    """Each dashboard is in a ConfigMap with the sidecar's label, unchanged, and kubectl apply can take it."""
    sources = {
        path.name: json.loads(path.read_text()) for path in (ROOT / "grafana/dashboards").glob("*.json")
    }
    found = {}
    for one in yaml.safe_load_all((DEPLOY / "kubernetes" / "dashboards.yaml").read_text(encoding="utf-8")):
        assert one["metadata"]["labels"]["grafana_dashboard"] == "1"
        # kubectl's copy of the object, in an annotation.
        assert len(json.dumps(one).encode()) < 256 * 1024
        ((name, text),) = one["data"].items()
        found[name.removeprefix("packetfabric-")] = json.loads(text)
    assert found == sources != {}
