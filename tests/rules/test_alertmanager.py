"""From a fault to a notification, with the real Prometheus and Alertmanager."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
import yaml

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import Config, StreamSettings, WebSettings
from pf_exporter.service.exporter import Exporter
from pf_exporter.simulator import Options, Simulator
from tests.conftest import listening_port, tool, until
from tests.prometheus_server import Prometheus
from tests.rules.promql import PROMETHEUS

EXAMPLE = PROMETHEUS / "alertmanager.yml"


class Sink:
    """A webhook receiver on loopback, with the notifications that it received."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        messages = self.messages

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Do not log requests to stderr."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def alerts(self, name: str, status: str) -> list[dict[str, Any]]:
        """Return the received alerts with a name and a status."""
        alerts = [alert for message in list(self.messages) for alert in message["alerts"]]
        return [
            alert for alert in alerts if (alert["labels"]["alertname"], alert["status"]) == (name, status)
        ]

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Alertmanager:
    """Debian's Alertmanager with alertmanager.yml on loopback, with short intervals and another receiver."""

    def __init__(self, folder: Path, webhook: str) -> None:
        config = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
        for route in (config["route"], *config["route"]["routes"]):
            route |= {"group_wait": "1ms", "group_interval": "1s"}
        config["receivers"][0]["webhook_configs"][0]["url"] = webhook
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
        self._log = (folder / "alertmanager.log").open("w")
        self._process = subprocess.Popen(
            [
                tool("prometheus-alertmanager"),
                f"--config.file={folder}/alertmanager.yml",
                f"--storage.path={folder}/alertmanager",
                "--web.listen-address=127.0.0.1:0",
                "--cluster.listen-address=",
            ],
            stdout=self._log,
            stderr=self._log,
        )
        self.address = f"127.0.0.1:{listening_port(self._process)}"

    def request(self, path: str, body: object = None) -> Any:
        """Return the response of its API, None while it is not up."""
        data = None if body is None else json.dumps(body).encode()
        http_request = Request(f"http://{self.address}{path}", data, {"Content-Type": "application/json"})
        try:
            with urlopen(http_request, timeout=10) as page:
                return json.loads(page.read() or b"{}")
        except (URLError, ConnectionError):
            return None

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._log.close()


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
    config = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"] = {"scrape_interval": "500ms", "evaluation_interval": "500ms"}
    config["scrape_configs"][0]["static_configs"] = [{"targets": [target]}]
    config["alerting"]["alertmanagers"][0]["static_configs"] = [{"targets": [alertmanager]}]
    for file in config["rule_files"]:
        content = yaml.safe_load((PROMETHEUS / file).read_text(encoding="utf-8"))
        for group in content["groups"]:
            for rule in group["rules"]:
                if "for" in rule:
                    rule["for"] = "1s"
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
                until(lambda: sink.alerts(down, "firing"), "the alert arrives", seconds=60)
                [alert, *_] = sink.alerts(down, "firing")
                assert alert["labels"]["account"] == "east"
                assert alert["labels"]["severity"] == "critical"
                assert alert["annotations"]["description"].startswith(f"Account east on {target} has had no")
                simulator.faults.discard("stream-500")
                until(lambda: sink.alerts(down, "resolved"), "the alert resolves", seconds=60)
                until(lambda: server.query("port:packetfabric_capacity:bytes_per_second"), "recordings")
                with urlopen(f"{server.url}/api/v1/rules", timeout=10) as page:
                    groups = json.load(page)["data"]["groups"]
                health = {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}
                assert len(health) > 40
                assert set(health.values()) == {"ok"}, health
            finally:
                server.stop()


def alert(name: str, **labels: str) -> dict[str, object]:
    return {"labels": {"alertname": f"PacketFabric{name}", "account": "east"} | labels}


INHIBITED = {
    "stream down": (
        alert("StreamDown"),
        [alert("PortErrors", depends_on="stream"), alert("StreamSilent"), alert("ReconnectsFlapping")],
        [
            alert("PortErrors", depends_on="stream", account="west"),
            alert("PortDown", depends_on="inventory"),
            alert("SeriesDropped"),
        ],
    ),
    "inventory out of date": (
        alert("InventoryStale"),
        [alert("PortDown", depends_on="inventory"), alert("VcDown", depends_on="inventory")],
        [alert("PortFlapping", depends_on="stream", port_circuit_id="2")],
    ),
    "port down": (
        alert("PortDown", port_circuit_id="1"),
        [
            alert("OpticsReceiveLow", port_circuit_id="1", lane="0"),
            alert("PortErrors", port_circuit_id="1"),
            alert("PortFlapping", port_circuit_id="1"),
        ],
        [
            alert("OpticsReceiveLow", port_circuit_id="2", lane="0"),
            alert("PortSaturated", port_circuit_id="1"),
        ],
    ),
}


@pytest.mark.parametrize("source", INHIBITED)
def test_inhibition(alertmanager: Alertmanager, source: str) -> None:
    """Alerts that depend on a stream, an inventory or a port are inhibited while that is down; no others."""
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
    """amtool accepts the example, with four inhibition rules and a receiver for each severity."""
    assert "4 inhibit rules" in amtool("check-config", str(EXAMPLE))
    for severity in ("critical", "warning", "info"):
        route = (f"--config.file={EXAMPLE}", "--verify.receivers=webhook", f"severity={severity}")
        assert amtool("config", "routes", "test", *route).strip() == "webhook"
