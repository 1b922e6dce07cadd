"""Every rule is well-formed, uses existing names, and fires exactly when it should."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import _jsonnet  # type: ignore[import-untyped]
import pytest

from tests.conftest import tool
from tests.rules.promql import METRICS, PROMETHEUS, RECORDED, rules, unknown_names
from tests.yaml_loader import load_yaml

FOLDER = Path(__file__).parent
RUNBOOK = (PROMETHEUS.parent / "docs" / "runbook.md").read_text(encoding="utf-8")
RECORDING, ALERTS = list(rules("rules.yml")), list(rules("alerts.yml"))
NAMES = [str(alert["alert"]) for alert in ALERTS]

EXPECTED = [
    *("ExporterDown", "ExporterScrapesFailing", "ExporterRestarting", "ConfigReloadFailed"),
    *("RemoteWriteBehind", "RulesMissing"),
    *("StreamDown", "AccountMissing", "ReplicaDegraded", "StreamFlapping", "StreamSilent", "EventsMissing"),
    *(
        "EventsLate",
        "SessionExpiresSoon",
        "SchemaDrift",
        "EventsRejected",
        "CounterResets",
        "RateUnitContradicted",
        "InventoryStale",
        "InventoryCircuitsMissing",
    ),
    *("SeriesDropped", "MaintenanceAnnounced", "MaintenanceStarted", "TermEnding", "TermEndsSoon"),
    *(
        "ApiKeyExpiring",
        "ApiKeyExpiresSoon",
        "PortDown",
        "LagMemberDown",
        "PortFlapping",
        "PortSilent",
        "PortErrors",
        "PortDrops",
    ),
    *("PortSaturated", "OpticsReceiveLow", "OpticsReceiveHigh", "OpticsLaneDiverges"),
    *("VcDown", "VcSilent", "VcAtRateLimit", "BgpDown"),
]
CASES = ("alerts.yml", "alerts_alone.yml", "polled.yml")


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run(
        [tool("promtool"), *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def cases(file: str, kind: str) -> list[dict[str, Any]]:
    """Return all test cases of a kind in a file."""
    tests = load_yaml((FOLDER / file).read_text(encoding="utf-8"))["tests"]
    return [case for test in tests for case in test.get(kind, ())]


def test_promtool_accepts_the_files() -> None:
    """promtool accepts the rules and the example configuration."""
    promtool("check", "rules", PROMETHEUS / "rules.yml", PROMETHEUS / "alerts.yml")
    promtool("check", "config", PROMETHEUS / "prometheus.yml")


@pytest.mark.parametrize("file", ["rules.yml", "days.yml", *CASES])
def test_rules_return_the_expected_results(file: str) -> None:
    """promtool evaluates the rules over generated series with the results that the test file expects."""
    promtool("test", "rules", FOLDER / file)


def test_every_alert_is_tested() -> None:
    """Each expected alert exists once, fires in one test case and does not fire in another."""
    assert [f"PacketFabric{name}" for name in EXPECTED] == NAMES
    found = [case for file in CASES for case in cases(file, "alert_rule_test")]
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
    if alert["alert"] not in ("PacketFabricExporterDown", "PacketFabricRulesMissing"):
        assert "{{ $labels" in notes["description"]
    assert notes["runbook_url"] == f"docs/runbook.md#{alert['alert'].lower()}"


def test_counts_are_whole_numbers() -> None:
    """Alerts on increase(), which extrapolates, show the count without decimals."""
    counting = {
        str(alert["alert"]).removeprefix("PacketFabric"): str(alert["annotations"])
        for alert in ALERTS
        if re.search("increase|changes|count without", str(alert["expr"]))
        and "$value" in str(alert["annotations"])
    }
    # SessionExpiresSoon shows a duration.
    assert set(counting) - {"SessionExpiresSoon"} == {
        *("ExporterRestarting", "StreamFlapping", "SchemaDrift", "CounterResets", "PortFlapping"),
        *("PortErrors", "PortDrops", "VcSilent", "BgpDown"),
    }
    for name in set(counting) - {"SessionExpiresSoon"}:
        assert "{{ $value | printf `%.0f` }}" in counting[name], name


def test_the_runbook_has_an_entry_for_each_alert() -> None:
    """Entries are in the order of the alerts, with meaning, checks and actions."""
    head, *entries = re.split(r"^## ", RUNBOOK, flags=re.MULTILINE)
    assert "administratively down" in head
    assert [entry.split("\n")[0] for entry in entries] == NAMES
    for entry in entries:
        assert re.findall(r"^\*\*(\w+)\.\*\*", entry, re.MULTILINE) == ["Means", "Check", "Do"]


def test_names_in_the_runbook_exist() -> None:
    """Each metric, recording rule and link in the runbook exists."""
    for name in re.findall(r"\b(?:packetfabric_\w+|\w+:packetfabric_[\w:]+)", RUNBOOK):
        assert name in METRICS or name in RECORDED, name
    anchors = {name.lower() for name in NAMES}
    assert set(re.findall(r"\]\(#(\w+)\)", RUNBOOK)) <= anchors


def test_thresholds_are_used() -> None:
    """Each threshold is used by the source, and no rule reads one with scalar(), which can be NaN."""
    paths = [*(PROMETHEUS / "alerts").iterdir(), PROMETHEUS / "rules.libsonnet", PROMETHEUS / "lib.libsonnet"]
    source = "".join(path.read_text(encoding="utf-8") for path in paths)
    assert set(configuration()["thresholds"]) == set(re.findall(r"threshold(?:s)?\.(\w+)", source))
    assert "scalar(" not in "".join(str(rule["expr"]) for rule in (*RECORDING, *ALERTS))


def configuration() -> dict[str, Any]:
    """Return ``_config`` of the mixin with its defaults."""
    config = f"(import '{PROMETHEUS}/config.libsonnet')._config"
    found: dict[str, Any] = json.loads(_jsonnet.evaluate_snippet("config", config))
    return found


def test_recording_rules_are_named_by_convention() -> None:
    """Each name is level:metric:operation, and no rule keeps a label of a replica."""
    for name in RECORDED:
        assert re.fullmatch(r"[a-z]+:packetfabric_[a-z_]+:[a-z0-9_]+", name), name
    replicas = set(configuration()["replicaLabels"])
    found = [case for case in cases("rules.yml", "promql_expr_test") for case in case["exp_samples"]]
    assert len(found) > 60
    for sample in found:
        assert not replicas & set(re.findall(r"(\w+)=", sample["labels"])), sample


def test_averages_do_not_overlap() -> None:
    """Averages of five minutes, whose percentiles are billed, are recorded once in five minutes."""
    groups = load_yaml((PROMETHEUS / "rules.yml").read_text(encoding="utf-8"))["groups"]
    intervals = {rule["record"]: group.get("interval") for group in groups for rule in group["rules"]}
    assert {name for name, interval in intervals.items() if interval} == {
        f"{level}:packetfabric_{level}_{direction}_bytes_per_second:avg5m"
        for level in ("port", "vc")
        for direction in ("receive", "transmit")
    }
    assert set(intervals.values()) == {None, "5m"}


def test_alerts_have_reasons_for_their_durations() -> None:
    """In the source, a comment explains ``for`` and ``keep_firing_for`` of each alert that has them."""
    source = "".join(path.read_text(encoding="utf-8") for path in sorted((PROMETHEUS / "alerts").iterdir()))
    entries = source.split("lib.alert(")[1:]
    assert len(entries) == len(ALERTS)
    for entry in entries:
        duration = re.search(r"\n *(?:duration|keep)=", entry)
        assert duration is None or "//" in entry[: duration.start()].splitlines()[-1], entry


def test_no_alert_for_a_port_out_of_service() -> None:
    """Every alert about a port excludes administratively down ports."""
    about_ports = [
        alert
        for alert in ALERTS
        if str(alert["alert"]).startswith(("PacketFabricPort", "PacketFabricOptics", "PacketFabricLag"))
    ]
    assert len(about_ports) == 10
    for alert in about_ports:
        assert re.search("admin_up:max|out_of_service:max|outage:max", str(alert["expr"])), alert["alert"]


def test_no_alert_for_a_virtual_circuit_out_of_service() -> None:
    """Every alert about a virtual circuit excludes those that are ordered or inactive."""
    about_circuits = [alert for alert in ALERTS if str(alert["alert"]).startswith("PacketFabricVc")]
    assert len(about_circuits) == 3
    for alert in about_circuits:
        assert "vc:packetfabric_vc_provisioned:max == 0" in str(alert["expr"]), alert["alert"]


def test_no_alert_for_a_circuit_in_a_maintenance() -> None:
    """Every alert about a circuit excludes those in a maintenance."""
    levels = {"Port": "port", "Optics": "port", "Lag": "port", "Vc": "vc", "Bgp": "connection"}
    found = 0
    for alert in ALERTS:
        for prefix, level in levels.items():
            if str(alert["alert"]).startswith(f"PacketFabric{prefix}"):
                found += 1
                since = f"{level}:packetfabric_maintenance_start_timestamp_seconds:in_progress"
                assert since in str(alert["expr"]), alert["alert"]
    assert found == 14
