"""From a fault to a notification, with the real Prometheus and Alertmanager."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
import yaml

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import Config, StreamSettings, WebSettings
from pf_exporter.service.exporter import Exporter
from pf_exporter.simulator import Options, Simulator
from tests.alertmanager_server import EXAMPLE, Alertmanager, Sink
from tests.conftest import tool, until
from tests.prometheus_server import Prometheus
from tests.rules.promql import PROMETHEUS, rules
from tests.yaml_loader import load_yaml


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()
    yield sink
    sink.stop()


@pytest.fixture
def alertmanager(tmp_path: Path, sink: Sink) -> Iterator[Alertmanager]:
    server = Alertmanager(tmp_path, sink.url)
    yield server
    server.stop()


def fast_config(folder: Path, target: str, alertmanager: str) -> str:
    """Return prometheus.yml for one exporter with intervals of seconds, and write its rules to the folder."""
    config = load_yaml((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
    config["scrape_configs"][0]["static_configs"] = [{"targets": [target]}]
    config["alerting"]["alertmanagers"][0]["static_configs"] = [{"targets": [alertmanager]}]
    for file in config["rule_files"]:
        content = load_yaml((PROMETHEUS / file).read_text(encoding="utf-8"))
        for group in content["groups"]:
            group.pop("interval", None)
            for rule in group["rules"]:
                for key in {"for", "keep_firing_for"} & set(rule):
                    rule[key] = "1s"
        (folder / file).write_text(yaml.safe_dump(content))
    return yaml.safe_dump(config)


def test_an_alert_fires_and_resolves(tmp_path: Path, sink: Sink, alertmanager: Alertmanager) -> None:
    """The alert for a failing stream arrives and resolves, and every rule can be evaluated."""
    options = Options(listen_address="127.0.0.1:0", interval=0.5, faults=("stream-500",))
    web = WebSettings(listen_address=("127.0.0.1:0",))
    stream = StreamSettings(backoff_min=0.1, backoff_max=0.2)
    with Simulator(options) as simulator:
        account = Account(name="east", api_url=simulator.url, token=Secret(simulator.api_key))
        with Exporter(Config(accounts=(account,), stream=stream, web=web)) as exporter:
            target = exporter.server.addresses[0]
            server = Prometheus(tmp_path, fast_config(tmp_path, target, alertmanager.address))
            try:
                down = "PacketFabricStreamDown"
                until(lambda: sink.alerts(down, "firing"), "the alert arrives")
                [alert, *_] = sink.alerts(down, "firing")
                assert alert["labels"]["account"] == "east"
                assert alert["labels"]["severity"] == "critical"
                assert alert["annotations"]["description"].startswith("Account east has had no")
                simulator.faults.discard("stream-500")
                until(lambda: sink.alerts(down, "resolved"), "the alert resolves")
                until(lambda: server.query("port:packetfabric_port_speed_bytes_per_second:sum"), "recordings")

                def unhealthy() -> list[str]:
                    """Rules that fail, or have not been evaluated yet."""
                    with urlopen(f"{server.url}/api/v1/rules", timeout=60) as page:
                        groups = json.load(page)["data"]["groups"]
                    rules = [rule for group in groups for rule in group["rules"]]
                    assert len({rule["name"] for rule in rules}) > 40
                    return [rule["name"] for rule in rules if rule["health"] != "ok"]

                until(lambda: unhealthy() == [], "every rule has been evaluated")
            finally:
                server.stop()


def alert(name: str, **labels: str) -> dict[str, object]:
    return {"labels": {"alertname": f"PacketFabric{name}", "account": "east"} | labels}


PORT = {"port_circuit_id": "1"}

INHIBITED = {
    "exporter down": (
        alert("ExporterDown", job="pf", cluster="fra"),
        [alert("PortDown", job="pf", cluster="fra"), alert("StreamDown", job="pf", cluster="fra")],
        [alert("PortDown", job="pf", cluster="nyc")],
    ),
    "stream down": (
        alert("StreamDown"),
        [
            *(alert("PortErrors", depends_on="stream"), alert("StreamSilent"), alert("StreamFlapping")),
            alert("EventsMissing"),
            *(alert("EventsLate"), alert("InventoryStale")),
        ],
        [
            # Of a replica that serves other accounts, too.
            *(alert("ExporterScrapesFailing", instance="b"), alert("ExporterRestarting", instance="b")),
            alert("PortErrors", depends_on="stream", account="west"),
            alert("PortDown", depends_on="inventory", account="west", **PORT),
            alert("SeriesDropped"),
        ],
    ),
    "stream silent": (
        alert("StreamSilent"),
        [alert("EventsLate")],
        [alert("EventsLate", account="west"), alert("EventsRejected")],
    ),
    "replica down": (
        alert("ExporterScrapesFailing", instance="b"),
        [alert("ReplicaDegraded", instance="b")],
        [alert("StreamSilent"), alert("StreamFlapping"), alert("ReplicaDegraded", instance="a")],
    ),
    "replica restarts": (
        alert("ExporterRestarting", instance="b"),
        [alert("ReplicaDegraded", instance="b"), alert("StreamFlapping")],
        [
            alert("StreamSilent"),
            alert("ReplicaDegraded", instance="a"),
            alert("StreamFlapping", cluster="nyc"),
        ],
    ),
    "inventory out of date": (
        alert("InventoryStale"),
        [alert("PortDown", depends_on="inventory"), alert("VcDown", depends_on="inventory")],
        [alert("PortFlapping", depends_on="stream", port_circuit_id="2")],
    ),
    "port down": (
        alert("PortDown", **PORT),
        [
            *(alert("OpticsReceiveLow", **PORT), alert("PortErrors", **PORT), alert("PortFlapping", **PORT)),
            *(alert("PortSilent", **PORT), alert("PortDrops", **PORT), alert("PortSaturated", **PORT)),
        ],
        [
            alert("OpticsReceiveLow", port_circuit_id="2"),
            alert("LagMemberDown", port_circuit_id="4", lag="3"),
        ],
    ),
    "LAG down": (
        alert("PortDown", port_circuit_id="1", lag="1"),
        [alert("LagMemberDown", port_circuit_id="2", lag="1")],
        [alert("LagMemberDown", port_circuit_id="3", lag="4")],
    ),
    "LAG member down": (
        alert("LagMemberDown", lag="4", **PORT),
        [alert("OpticsReceiveLow", **PORT), alert("PortErrors", **PORT)],
        [alert("PortErrors", port_circuit_id="4")],
    ),
    "receive power": (
        alert("OpticsReceiveLow", **PORT),
        [alert("OpticsLaneDiverges", **PORT), alert("PortErrors", **PORT)],
        [alert("OpticsLaneDiverges", port_circuit_id="2"), alert("PortDrops", **PORT)],
    ),
    "port silent": (
        alert("PortSilent", **PORT),
        [alert("OpticsReceiveLow", **PORT), alert("PortFlapping", **PORT)],
        [alert("PortErrors", port_circuit_id="2")],
    ),
    "port saturated": (
        alert("PortSaturated", **PORT),
        [alert("PortDrops", **PORT)],
        [alert("PortDrops", port_circuit_id="2")],
    ),
}


@pytest.mark.parametrize("source", INHIBITED)
def test_inhibition(alertmanager: Alertmanager, source: str) -> None:
    """Alerts with the same cause as another one are inhibited while that one fires; no others."""
    firing, inhibited, active = INHIBITED[source]
    until(lambda: alertmanager.request("/api/v2/status"), "Alertmanager is up")
    assert alertmanager.request("/api/v2/alerts", [firing, *inhibited, *active]) is not None

    def states() -> dict[str, str]:
        alerts = alertmanager.request("/api/v2/alerts")
        return {json.dumps(item["labels"], sort_keys=True): item["status"]["state"] for item in alerts}

    def labels(alerts: list[dict[str, object]]) -> set[str]:
        return {json.dumps(item["labels"], sort_keys=True) for item in alerts}

    expected = dict.fromkeys(labels(inhibited), "suppressed") | dict.fromkeys(
        labels([firing, *active]), "active"
    )
    until(lambda: states() == expected, f"{source}: {expected}")


def amtool(*arguments: str) -> str:
    done = subprocess.run(
        [tool("amtool"), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_example_configuration() -> None:
    """amtool accepts the example; critical alerts go to the pager, others do not."""
    rules = load_yaml(EXAMPLE.read_text(encoding="utf-8"))["inhibit_rules"]
    assert f"{len(rules)} inhibit rules" in amtool("check-config", str(EXAMPLE))
    for severity, receiver in (("critical", "pager"), ("warning", "team"), ("info", "notes")):
        route = (f"--config.file={EXAMPLE}", f"--verify.receivers={receiver}", f"severity={severity}")
        assert amtool("config", "routes", "test", *route).strip() == receiver


def test_names_in_the_inhibition_rules_exist() -> None:
    """Each alert that an inhibition rule names exists."""
    names = {str(rule["alert"]) for rule in rules("alerts.yml")}
    for rule in load_yaml(EXAMPLE.read_text(encoding="utf-8"))["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            if found := re.fullmatch(r'alertname (=|=~) "(.+)"', matcher):
                patterns = re.fullmatch(r"(.*)\((.+)\)(.*)", found[2])
                each = [found[2]]
                if patterns:
                    each = [f"{patterns[1]}{part}{patterns[3]}" for part in patterns[2].split("|")]
                for pattern in each:
                    assert any(re.fullmatch(pattern, name) for name in names), pattern
