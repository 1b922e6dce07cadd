"""From a fault to a message, through the real Prometheus and the real Alertmanager."""

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
from tests.conftest import tool, until
from tests.prometheus_server import Prometheus, free_port
from tests.rules.promql import PROMETHEUS

EXAMPLE = PROMETHEUS / "alertmanager.yml"


class Sink:
    """A receiver of webhooks on loopback, and the messages it got."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        messages = self.messages

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on standard error."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def alerts(self, name: str, status: str) -> list[dict[str, Any]]:
        """The alerts of a name that were told of with a status."""
        told = [alert for message in list(self.messages) for alert in message["alerts"]]
        return [one for one in told if (one["labels"]["alertname"], one["status"]) == (name, status)]

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Alertmanager:
    """Debian's Alertmanager on loopback with our example, only quicker and with a receiver of the test's."""

    def __init__(self, folder: Path, webhook: str) -> None:
        config = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
        for route in (config["route"], *config["route"]["routes"]):
            route |= {"group_wait": "1ms", "group_interval": "1s"}
        config["receivers"][0]["webhook_configs"][0]["url"] = webhook
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
        self.address = f"127.0.0.1:{free_port()}"
        self._log = (folder / "alertmanager.log").open("w")
        self._process = subprocess.Popen(
            [
                tool("prometheus-alertmanager"),
                f"--config.file={folder}/alertmanager.yml",
                f"--storage.path={folder}/alertmanager",
                f"--web.listen-address={self.address}",
                "--cluster.listen-address=",
            ],
            stdout=self._log,
            stderr=self._log,
        )

    def ask(self, path: str, body: object = None) -> Any:
        """What its API answers; None while it is not up."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"http://{self.address}{path}", data, {"Content-Type": "application/json"})
        try:
            with urlopen(request, timeout=10) as page:
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


def hastened(folder: Path, target: str, alertmanager: str) -> str:
    """Our configuration with our rules, in a folder, for one exporter and everything within seconds."""
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


def test_a_fault_becomes_a_message_and_is_resolved(
    tmp_path: Path, sink: Sink, alertmanager: Alertmanager
) -> None:
    """Streams that cannot be opened are told of, so is their recovery, and no rule fails to evaluate."""
    options = Options(listen_address="127.0.0.1:0", interval=0.5, faults=("stream-500",))
    web = WebSettings(listen_address=("127.0.0.1:0",))
    quick = StreamSettings(backoff_min=0.1, backoff_max=0.2)
    with Simulator(options) as simulator:
        account = Account(name="east", api_url=simulator.url, token=Secret(simulator.api_key))
        with Exporter(Config(accounts=(account,), stream=quick, web=web)) as exporter:
            target = exporter.server.addresses[0]
            server = Prometheus(tmp_path, hastened(tmp_path, target, alertmanager.address))
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
    "a stream that is down": (
        alert("StreamDown"),
        [alert("PortErrors", depends_on="stream"), alert("StreamSilent"), alert("ReconnectsFlapping")],
        [
            alert("PortErrors", depends_on="stream", account="west"),
            alert("PortDown", depends_on="inventory"),
            alert("SeriesDropped"),
        ],
    ),
    "lists that are old": (
        alert("InventoryStale"),
        [alert("PortDown", depends_on="inventory"), alert("VcDown", depends_on="inventory")],
        [alert("PortFlapping", depends_on="stream", port_circuit_id="2")],
    ),
    "a port that is down": (
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


@pytest.mark.parametrize("what", INHIBITED)
def test_what_follows_is_silent(alertmanager: Alertmanager, what: str) -> None:
    """What depends on a stream, a list or a port is silent while that is down, and nothing else is."""
    source, silent, loud = INHIBITED[what]
    until(lambda: alertmanager.ask("/api/v2/status"), "Alertmanager is up")
    assert alertmanager.ask("/api/v2/alerts", [source, *silent, *loud]) is not None

    def states() -> dict[str, str]:
        found = alertmanager.ask("/api/v2/alerts")
        return {json.dumps(one["labels"], sort_keys=True): one["status"]["state"] for one in found}

    def labels(alerts: list[dict[str, object]]) -> set[str]:
        return {json.dumps(one["labels"], sort_keys=True) for one in alerts}

    wanted = dict.fromkeys(labels(silent), "suppressed") | dict.fromkeys(labels([source, *loud]), "active")
    until(lambda: states() == wanted, f"{what}: {wanted}")


def amtool(*arguments: str) -> str:
    done = subprocess.run(
        [tool("amtool"), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_example_is_accepted() -> None:
    """Debian's amtool finds no fault in it, four rules of inhibition, and a receiver for every severity."""
    assert "4 inhibit rules" in amtool("check-config", str(EXAMPLE))
    for severity in ("critical", "warning", "info"):
        route = (f"--config.file={EXAMPLE}", "--verify.receivers=webhook", f"severity={severity}")
        assert amtool("config", "routes", "test", *route).strip() == "webhook"
