"""Every rule is well-formed, names what exists, fires when it must and is quiet when it must."""

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
from tests.rules.promql import METRICS, PROMETHEUS, RECORDED, faults, rules

FOLDER = Path(__file__).parent
RUNBOOK = (PROMETHEUS.parent / "docs" / "runbook.md").read_text(encoding="utf-8")
RECORDING, ALERTS = list(rules("rules.yml")), list(rules("alerts.yml"))
NAMES = [str(alert["alert"]) for alert in ALERTS]

WANTED = [
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
    """The expectations of a kind in a file of tests."""
    tests = yaml.safe_load((FOLDER / file).read_text(encoding="utf-8"))["tests"]
    return [case for test in tests for case in test.get(kind, ())]


def test_promtool_accepts_the_files() -> None:
    """Debian's promtool finds no fault in the rules, nor in the example that names them."""
    promtool("check", "rules", PROMETHEUS / "rules.yml", PROMETHEUS / "alerts.yml")
    promtool("check", "config", PROMETHEUS / "prometheus.yml")


@pytest.mark.parametrize("file", ["rules.yml", "alerts.yml"])
def test_rules_say_what_they_should(file: str) -> None:
    """promtool evaluates the rules over made-up series and gets what the file of tests expects."""
    promtool("test", "rules", FOLDER / file)


def test_no_alert_is_missing() -> None:
    """Each alert there should be is there once, and fires in one case and is quiet in another."""
    assert [f"PacketFabric{name}" for name in WANTED] == NAMES
    found = cases("alerts.yml", "alert_rule_test")
    assert {case["alertname"] for case in found if case["exp_alerts"]} == set(NAMES)
    assert {case["alertname"] for case in found if not case["exp_alerts"]} == set(NAMES)


def test_no_recording_rule_is_missing() -> None:
    """Each recorded name has a value in one case, and none in another unless it is a constant."""
    found = cases("rules.yml", "promql_expr_test")
    constant = {str(rule["record"]) for rule in RECORDING if str(rule["expr"]).startswith("vector(")}
    valued = {case["expr"].partition("{")[0] for case in found if case["exp_samples"]}
    empty = {case["expr"] for case in found if not case["exp_samples"]}
    assert set(RECORDED) <= valued
    assert empty == set(RECORDED) - constant


@pytest.mark.parametrize(
    "rule", [*RECORDING, *ALERTS], ids=lambda rule: rule.get("alert", rule.get("record"))
)
def test_an_expression_names_what_exists(rule: dict[str, Any]) -> None:
    """The expression is PromQL, and each metric and label in it is one of the exporter's or recorded."""
    assert faults(rule["expr"]) == []


def test_what_does_not_exist_is_found() -> None:
    """The check above sees a wrong metric, a wrong label, and wrong labels in by, on and group_left."""
    assert faults("packetfabric_uq") == ["metric packetfabric_uq"]
    assert faults('rate(packetfabric_resets_total{reason="x"}[5m])') == [
        "label reason of packetfabric_resets_total"
    ]
    wrong = "sum by (acount) (packetfabric_up) * on (accout) group_left (descr) packetfabric_up"
    assert sorted(faults(wrong)) == ["label accout", "label acount", "label descr"]
    with pytest.raises(ValueError, match="unclosed"):
        faults("sum(packetfabric_up")


@pytest.mark.parametrize("alert", ALERTS, ids=NAMES)
def test_an_alert_says_enough(alert: dict[str, Any]) -> None:
    """It has a severity, a static summary, a description with labels, and a place in the runbook."""
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    assert alert["labels"].get("depends_on", "stream") in ("stream", "inventory")
    notes = alert["annotations"]
    assert sorted(notes) == ["description", "runbook_url", "summary"]
    assert "{{" not in notes["summary"]
    assert "{{ $labels" in notes["description"] or "{{ with $labels" in notes["description"]
    assert notes["runbook_url"] == f"docs/runbook.md#{alert['alert'].lower()}"


def test_counts_are_told_in_whole_numbers() -> None:
    """An alert on an increase(), which is a fraction more than was counted, tells it without the fraction."""
    told = {
        str(alert["alert"]).removeprefix("PacketFabric"): str(alert["annotations"])
        for alert in ALERTS
        if "increase" in str(alert["expr"])
    }
    counting = {name: text for name, text in told.items() if "$value" in text}
    wanted = {"ReconnectsFlapping", "SchemaDrift", "CounterResets", "PortFlapping", "PortErrors"}
    # What SessionExpiresSoon tells is a duration.
    assert set(counting) == wanted | {"SessionExpiresSoon"}
    assert all("{{ $value | printf `%.0f` }}" in counting[name] for name in wanted)


def test_the_runbook_has_an_entry_for_each_alert() -> None:
    """Entries stand in the order of the alerts, and each says what it means, how to check and what to do."""
    head, *entries = re.split(r"^## ", RUNBOOK, flags=re.MULTILINE)
    assert "administratively down" in head
    assert [entry.split("\n")[0] for entry in entries] == NAMES
    for entry in entries:
        assert re.findall(r"^\*\*(\w+)\.\*\*", entry, re.MULTILINE) == ["Means", "Check", "Do"]


def test_the_runbook_names_what_exists() -> None:
    """Each metric, recorded name and link in the runbook leads somewhere."""
    for name in re.findall(r"\b(?:packetfabric_\w+|(?:media|packetfabric):[\w:]+)", RUNBOOK):
        assert name in METRICS or name in RECORDED, name
    anchors = {name.lower() for name in NAMES}
    assert set(re.findall(r"\]\(#(\w+)\)", RUNBOOK)) <= anchors


def test_thresholds_are_in_one_place() -> None:
    """No alert compares with a number of its own, other than none at all and the states 0 and 1."""
    for alert in ALERTS:
        assert set(re.findall(r"[<>=!]=?\s*([\d.]+)", str(alert["expr"]))) <= {"0", "1"}, alert["alert"]
    used = {
        name for alert in ALERTS for name in re.findall(r"packetfabric:\w+:threshold", str(alert["expr"]))
    }
    assert used == {name for name in RECORDED if name.startswith("packetfabric:")}


def test_a_port_switched_off_alerts_nobody() -> None:
    """Every alert about a port leaves out those that are administratively down."""
    about_ports = [
        alert
        for alert in ALERTS
        if str(alert["alert"]).startswith(("PacketFabricPort", "PacketFabricOptics"))
    ]
    assert len(about_ports) == 7
    for alert in about_ports:
        switch = "unless on (job, instance, account, port_circuit_id) packetfabric_port_admin_up == 0"
        assert switch in str(alert["expr"]), alert["alert"]


def test_the_mixin_is_the_files() -> None:
    """jsonnet makes of the mixin the same alerts and rules, with the runbook's place put before its links."""
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
