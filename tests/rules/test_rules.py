"""Every rule is well-formed, uses existing names, and fires exactly when it should."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import _jsonnet  # type: ignore[import-untyped]
import pytest
import yaml

from tests.conftest import tool
from tests.rules.promql import METRICS, PROMETHEUS, RECORDED, rules, unknown_names

FOLDER = Path(__file__).parent
RUNBOOK = (PROMETHEUS.parent / "docs" / "runbook.md").read_text(encoding="utf-8")
RECORDING, ALERTS = list(rules("rules.yml")), list(rules("alerts.yml"))
NAMES = [str(alert["alert"]) for alert in ALERTS]

EXPECTED = [
    *("ExporterDown", "StreamDown", "StreamSilent", "SessionExpiresSoon", "ReconnectsFlapping"),
    *("SchemaDrift", "EventsRejected", "CounterResets", "InventoryStale", "SeriesDropped"),
    *("PortDown", "PortFlapping", "PortErrors", "PortSaturated", "VcDown", "VcAtRateLimit"),
    *("OpticsReceiveLow", "OpticsReceiveHigh", "OpticsLaneDiverges"),
]


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run(
        [tool("promtool"), *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def cases(file: str, kind: str) -> list[dict[str, Any]]:
    """Return all test cases of a kind in a file."""
    tests = yaml.safe_load((FOLDER / file).read_text(encoding="utf-8"))["tests"]
    return [case for test in tests for case in test.get(kind, ())]


def test_promtool_accepts_the_files() -> None:
    """promtool accepts the rules and the example configuration."""
    promtool("check", "rules", PROMETHEUS / "rules.yml", PROMETHEUS / "alerts.yml")
    promtool("check", "config", PROMETHEUS / "prometheus.yml")


@pytest.mark.parametrize("file", ["rules.yml", "alerts.yml"])
def test_rules_return_the_expected_results(file: str) -> None:
    """promtool evaluates the rules over generated series with the results that the test file expects."""
    promtool("test", "rules", FOLDER / file)


def test_every_alert_is_tested() -> None:
    """Each expected alert exists once, fires in one test case and does not fire in another."""
    assert [f"PacketFabric{name}" for name in EXPECTED] == NAMES
    found = cases("alerts.yml", "alert_rule_test")
    assert {case["alertname"] for case in found if case["exp_alerts"]} == set(NAMES)
    assert {case["alertname"] for case in found if not case["exp_alerts"]} == set(NAMES)


def test_every_recording_rule_is_tested() -> None:
    """Each recording rule has a value in one test case, and none in another unless it is a constant."""
    found = cases("rules.yml", "promql_expr_test")
    constant = {str(rule["record"]) for rule in RECORDING if str(rule["expr"]).startswith("vector(")}
    valued = {case["expr"].partition("{")[0] for case in found if case["exp_samples"]}
    empty = {case["expr"] for case in found if not case["exp_samples"]}
    assert set(RECORDED) <= valued
    assert empty == set(RECORDED) - constant


@pytest.mark.parametrize(
    "rule", [*RECORDING, *ALERTS], ids=lambda rule: rule.get("alert", rule.get("record"))
)
def test_names_in_an_expression_exist(rule: dict[str, Any]) -> None:
    """The expression is valid PromQL, and its metrics and labels exist."""
    assert unknown_names(rule["expr"]) == []


def test_unknown_names_are_found() -> None:
    """The check finds an unknown metric, an unknown label, and unknown labels in by, on and group_left."""
    assert unknown_names("packetfabric_uq") == ["metric packetfabric_uq"]
    assert unknown_names('rate(packetfabric_resets_total{reason="x"}[5m])') == [
        "label reason of packetfabric_resets_total"
    ]
    wrong = "sum by (acount) (packetfabric_up) * on (accout) group_left (descr) packetfabric_up"
    assert sorted(unknown_names(wrong)) == ["label accout", "label acount", "label descr"]
    with pytest.raises(ValueError, match="unclosed"):
        unknown_names("sum(packetfabric_up")


@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_annotations(alert: dict[str, Any]) -> None:
    """An alert has a severity, a static summary, a description with labels, and an entry in the runbook."""
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    assert alert["labels"].get("depends_on", "stream") in ("stream", "inventory")
    notes = alert["annotations"]
    assert sorted(notes) == ["description", "runbook_url", "summary"]
    assert "{{" not in notes["summary"]
    assert "{{ $labels" in notes["description"] or "{{ with $labels" in notes["description"]
    assert notes["runbook_url"] == f"docs/runbook.md#{alert['alert'].lower()}"


def test_counts_are_whole_numbers() -> None:
    """Alerts on increase(), which extrapolates, show the count without decimals."""
    texts = {
        str(alert["alert"]).removeprefix("PacketFabric"): str(alert["annotations"])
        for alert in ALERTS
        if "increase" in str(alert["expr"])
    }
    counting = {name: text for name, text in texts.items() if "$value" in text}
    expected = {"ReconnectsFlapping", "SchemaDrift", "CounterResets", "PortFlapping", "PortErrors"}
    # SessionExpiresSoon shows a duration.
    assert set(counting) == expected | {"SessionExpiresSoon"}
    assert all("{{ $value | printf `%.0f` }}" in counting[name] for name in expected)


def test_the_runbook_has_an_entry_for_each_alert() -> None:
    """Entries are in the order of the alerts, with meaning, checks and actions."""
    head, *entries = re.split(r"^## ", RUNBOOK, flags=re.MULTILINE)
    assert "administratively down" in head
    assert [entry.split("\n")[0] for entry in entries] == NAMES
    for entry in entries:
        assert re.findall(r"^\*\*(\w+)\.\*\*", entry, re.MULTILINE) == ["Means", "Check", "Do"]


def test_names_in_the_runbook_exist() -> None:
    """Each metric, recording rule and link in the runbook exists."""
    for name in re.findall(r"\b(?:packetfabric_\w+|(?:media|packetfabric):[\w:]+)", RUNBOOK):
        assert name in METRICS or name in RECORDED, name
    anchors = {name.lower() for name in NAMES}
    assert set(re.findall(r"\]\(#(\w+)\)", RUNBOOK)) <= anchors


def test_thresholds_are_in_one_place() -> None:
    """No alert contains a threshold other than 0 and 1, and every recorded threshold is used."""
    for alert in ALERTS:
        assert set(re.findall(r"[<>=!]=?\s*([\d.]+)", str(alert["expr"]))) <= {"0", "1"}, alert["alert"]
    used = {
        name for alert in ALERTS for name in re.findall(r"packetfabric:\w+:threshold", str(alert["expr"]))
    }
    assert used == {name for name in RECORDED if name.startswith("packetfabric:")}


def test_no_alert_for_an_administratively_down_port() -> None:
    """Every alert about a port excludes administratively down ports."""
    about_ports = [
        alert
        for alert in ALERTS
        if str(alert["alert"]).startswith(("PacketFabricPort", "PacketFabricOptics"))
    ]
    assert len(about_ports) == 7
    for alert in about_ports:
        switch = "unless on (job, instance, account, port_circuit_id) packetfabric_port_admin_up == 0"
        assert switch in str(alert["expr"]), alert["alert"]


def test_mixin() -> None:
    """The mixin evaluates to the same alerts and rules, with the prefix added to runbook URLs."""
    text = f"(import '{PROMETHEUS}/mixin.libsonnet') + {{ _config+:: {{ runbookBase: 'https://wiki/' }} }}"
    shown = "{ a: m.prometheusAlerts, r: m.prometheusRules, d: std.objectFields(m.grafanaDashboards) }"
    made = json.loads(_jsonnet.evaluate_snippet("mixin", f"local m = {text}; {shown}"))
    assert [rule for group in made["r"]["groups"] for rule in group["rules"]] == RECORDING
    alerts = [rule for group in made["a"]["groups"] for rule in group["rules"]]
    assert {rule["annotations"]["runbook_url"].partition("#")[0] for rule in alerts} == {
        "https://wiki/docs/runbook.md"
    }
    assert [rule["expr"] for rule in alerts] == [rule["expr"] for rule in ALERTS]
    dashboards = sorted(path.name for path in (PROMETHEUS.parent / "grafana" / "dashboards").iterdir())
    assert made["d"] == [f"packetfabric-{name}" for name in dashboards]
