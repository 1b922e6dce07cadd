"""The plain files equal the mixin, which can be configured and vendored."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import _jsonnet  # type: ignore[import-untyped]
import pytest

from tests.rules.promql import PROMETHEUS
from tests.rules.test_rules import ALERTS, NAMES, RECORDING, promtool
from tools import generate_rules

pytestmark = pytest.mark.no_cover


def test_files_are_current() -> None:
    """The plain files equal what the mixin makes with its defaults; `make rules` updates them."""
    made = generate_rules.evaluate()
    assert made.keys() == generate_rules.FILES.keys()
    for name, content in made.items():
        assert (PROMETHEUS / name).read_text(encoding="utf-8") == generate_rules.text(name, content)


def test_make_rules(tmp_path: Path) -> None:
    """The files have absolute runbook links if a base is given, and the settings of a file."""
    config = tmp_path / "site.libsonnet"
    config.write_text("{ job: 'pf', selector: 'env=\"prod\"', thresholds+: { laneSpread: 5 } }")
    generate_rules.main(
        [
            "--runbook-base=https://git.example.com/pf_exporter/blob/main/",
            f"--config={config}",
            f"--output={tmp_path}",
        ]
    )
    promtool("check", "rules", tmp_path / "rules.yml", tmp_path / "alerts.yml")
    text = (tmp_path / "alerts.yml").read_text(encoding="utf-8")
    links = re.findall(r"runbook_url: (\S+)", text)
    assert len(links) == len(ALERTS)
    assert all(
        link.startswith("https://git.example.com/pf_exporter/blob/main/docs/runbook.md#") for link in links
    )
    assert "$externalURL" not in text
    assert 'up{job="pf", env="prod"}' in text
    assert "spread > 5" in text
    # Every metric of the exporter has the matcher; a dangling name is followed by a brace or a closing quote.
    rules_text = (tmp_path / "rules.yml").read_text(encoding="utf-8")
    for metric in re.findall(r"(?<![:\w`])packetfabric_[a-z_]+[a-z](?![:\w])[^:]", rules_text):
        assert metric.endswith("{"), metric


def vendored(tmp_path: Path, import_as: str, *folders: str) -> dict[str, Any]:
    """Return a mixin that is used from a vendor folder with only some parts of the project."""
    package = tmp_path / "vendor" / "github.com" / "example" / "pf_exporter"
    for folder in folders:
        shutil.copytree(PROMETHEUS.parent / folder, package / folder)
    shutil.copy(PROMETHEUS.parent / "mixin.libsonnet", package)
    shutil.copy(PROMETHEUS.parent / "jsonnetfile.json", package)
    text = (
        f"local mixin = (import 'github.com/example/pf_exporter/{import_as}') + {{ _config+:: {{"
        " runbookURLPattern: 'https://wiki/%s', dashboardTags: ['wan'], datasourceName: 'Thanos',"
        " datasourceFilterRegex: 'T.*', targetLabels: ['job', 'env'], replicaLabels: ['replica'] } };"
        " { a: mixin.prometheusAlerts, r: mixin.prometheusRules,"
        "   d: if 'grafanaDashboards' in mixin then mixin.grafanaDashboards else {} }"
    )
    made = json.loads(_jsonnet.evaluate_snippet("site", text, jpathdir=[str(tmp_path / "vendor")]))
    assert isinstance(made, dict)
    return made


def test_mixin(tmp_path: Path) -> None:
    """A vendored copy has alerts, rules and dashboards, with the settings of its user."""
    made = vendored(tmp_path, "mixin.libsonnet", "prometheus", "grafana")
    alerts = [rule for group in made["a"]["groups"] for rule in group["rules"]]
    assert [rule["alert"] for rule in alerts] == NAMES
    assert alerts[0]["annotations"]["runbook_url"] == "https://wiki/packetfabricexporterdown"
    for name in ("a", "r"):
        (tmp_path / f"{name}.yml").write_text(json.dumps(made[name]))
    promtool("check", "rules", tmp_path / "a.yml", tmp_path / "r.yml")
    assert not re.search("instance|cluster", json.dumps([rule["expr"] for rule in alerts]))
    dashboards = sorted(path.name for path in (PROMETHEUS.parent / "grafana" / "dashboards").iterdir())
    assert sorted(made["d"]) == [f"packetfabric-{name}" for name in dashboards]
    for board in made["d"].values():
        assert board["tags"] == board["links"][0]["tags"] == ["wan"]
        source = board["templating"]["list"][0]
        assert (source["type"], source["current"]["value"], source["regex"]) == (
            "datasource",
            "Thanos",
            "T.*",
        )


def test_mixin_of_the_rules(tmp_path: Path) -> None:
    """The folder of the rules is complete without the rest of the project."""
    made = vendored(tmp_path, "prometheus/mixin.libsonnet", "prometheus")
    assert made["d"] == {}
    assert sum(len(group["rules"]) for group in made["r"]["groups"]) == len(RECORDING)
