"""One incident sends one message: scenarios through a real Prometheus and a real Alertmanager.

All scenarios run at once, each in a separate cluster, and a minute takes a second: durations in the rules
and in alertmanager.yml are divided by 60. An alert that fires at the end shows that every other one had
its time. Prometheus and Alertmanager know no other clock than the machine's: if that paused, the scenarios
run once more.
"""

from __future__ import annotations

import contextlib
import math
import re
import threading
import time
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.alertmanager_server import Alertmanager, Sink, seconds
from tests.conftest import until
from tests.prometheus_server import Prometheus
from tests.rules.incidents import SCENARIOS, SECONDS_PER_MINUTE, Moment
from tests.rules.test_rules import configuration
from tools import generate_rules

FASTER = 60 / SECONDS_PER_MINUTE
END = 26
"""Minute of the last alert. The slowest of the scenarios fires in minute 20."""
LONGEST_PAUSE = 1.0
"""Seconds between two scrapes, after which what a scenario sends may be due to the machine."""
RUNS = 4
"""How often the scenarios run, at most."""


class Exporters:
    """Serves the page of each scenario and replica, and a clock, on loopback."""

    def __init__(self) -> None:
        self._started: float | None = None
        self._scraped = math.inf
        self.longest_pause = 0.0
        """Seconds between two scrapes of the clock."""
        exporters = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = exporters.page(self.path)
                self.send_response(503 if body is None else 200)
                self.end_headers()
                self.wfile.write((body or "").encode())

            def log_message(self, format: str, *args: object) -> None:
                """Do not log requests to stderr."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def start_incidents(self) -> None:
        """Make this moment minute 0 of all scenarios."""
        self._started = time.time()

    def page(self, path: str) -> str | None:
        """Return the page at a path; None if the exporter there does not respond."""
        now, started = time.time(), self._started
        moment = Moment(-1.0 if started is None else (now - started) / SECONDS_PER_MINUTE, now)
        if path == "/clock":
            self.longest_pause = max(self.longest_pause, now - self._scraped)
            self._scraped = now
            return f"incident_minutes {moment.minute}\n"
        _, number, replica = path.split("/")
        page = list(SCENARIOS.values())[int(number)].page(moment, replica)
        return None if page is None else "".join(f"{key} {value!r}\n" for key, value in page.items())

    def targets(self) -> Iterator[dict[str, Any]]:
        """Yield the static configuration of each exporter."""
        for number, (name, scenario) in enumerate(SCENARIOS.items()):
            for replica in scenario.replicas:
                labels = {"__metrics_path__": f"/{number}/{replica}", "cluster": name, "instance": replica}
                yield {"targets": [self.address], "labels": labels}

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def faster(duration: str) -> str:
    """Return a duration divided by the factor."""
    return f"{seconds(duration) / FASTER * 1000:.0f}ms"


def write_rules(folder: Path) -> list[str]:
    """Write the rules of the mixin with all durations divided by the factor, and the alert at the end."""
    thresholds = configuration()["thresholds"]
    times = (
        *("silence", "sessionEnd", "sessionEndFailing", "inventoryAge", "lastUp"),
        *("maintenanceMargin", "maintenanceAhead"),
    )
    overrides = ", ".join(f"{name}: {thresholds[name] / FASTER}" for name in times)
    files = generate_rules.evaluate(f"{{ thresholds+: {{ {overrides} }} }}")
    for content in files.values():
        for rule in (rule for group in content["groups"] for rule in group["rules"]):
            rule["expr"] = re.sub(r"\[(\w+)\]", lambda found: f"[{faster(found[1])}]", rule["expr"])
            for key in {"for", "keep_firing_for"} & set(rule):
                rule[key] = faster(rule[key])
    end = {"alert": "End", "expr": f"incident_minutes >= {END}", "labels": {"severity": "critical"}}
    files["end.yml"] = {"groups": [{"name": "end", "rules": [end]}]}
    for name, content in files.items():
        (folder / name).write_text(yaml.safe_dump(content))
    return list(files)


def messages_of(messages: Iterable[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return the messages about a scenario."""
    return [message for message in messages if message["groupLabels"].get("cluster") == name]


def have_all(messages: list[dict[str, Any]]) -> bool:
    """Return whether each scenario has sent as many messages as are expected."""
    return all(
        len(messages_of(messages, name)) >= len(scenario.messages) for name, scenario in SCENARIOS.items()
    )


def found_messages(messages: Iterable[dict[str, Any]], name: str) -> list[tuple[str, str]]:
    """Return receiver and alert of each message about a scenario."""
    return [
        (message["receiver"], message["groupLabels"]["alertname"].removeprefix("PacketFabric"))
        for message in messages_of(messages, name)
    ]


def run_scenarios(folder: Path) -> tuple[list[dict[str, Any]], float]:
    """Return all messages that Alertmanager sends until the end, and the longest pause in seconds."""
    exporters, sink = Exporters(), Sink()
    alertmanager = Alertmanager(folder, sink.url, faster=FASTER)
    config = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"},
        "rule_files": write_rules(folder),
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager.address]}]}]},
        "scrape_configs": [
            {"job_name": "packetfabric", "static_configs": list(exporters.targets())},
            {
                "job_name": "clock",
                "metrics_path": "/clock",
                "static_configs": [{"targets": [exporters.address]}],
            },
        ],
    }
    prometheus = Prometheus(folder, yaml.safe_dump(config), "--query.lookback-delta=5s")
    recorded = "count by (cluster) (port:packetfabric_port_last_event_timestamp_seconds:max)"
    try:
        until(lambda: alertmanager.request("/api/v2/status"), "Alertmanager is up")
        # All but the account without circuits have ports.
        until(lambda: len(prometheus.query(recorded)) == len(SCENARIOS) - 1, recorded)
        until(lambda: prometheus.query("vc:packetfabric_port_operational_up:min"), "circuits")
        exporters.start_incidents()
        until(lambda: sink.alerts("End", "firing"), "the last alert", seconds=160)
        # On a busy machine scrapes fail for a moment, after which an alert is pending for longer. What never
        # comes is for the test of its scenario.
        with contextlib.suppress(AssertionError):
            until(lambda: have_all(list(sink.messages)), "the expected messages")
        return list(sink.messages), exporters.longest_pause
    finally:
        prometheus.stop()
        alertmanager.stop()
        sink.stop()
        exporters.stop()


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """All messages of the scenarios, from a run without a pause if one with a pause sent others."""
    for _ in range(RUNS):
        found, pause = run_scenarios(tmp_path_factory.mktemp("incidents"))
        is_expected = all(
            found_messages(found, name) == list(scenario.messages) for name, scenario in SCENARIOS.items()
        )
        if is_expected or pause <= LONGEST_PAUSE:
            break
    return found


def test_every_cluster_is_expected(messages: list[dict[str, Any]]) -> None:
    """Each message belongs to a scenario, or is the last one."""
    clusters = {message["groupLabels"].get("cluster") for message in messages}
    assert clusters <= {None, *SCENARIOS}
    others = {
        alert["labels"]["alertname"]
        for message in messages
        for alert in message["alerts"]
        if "cluster" not in alert["labels"]
    }
    # A machine that is busy scrapes nothing for some seconds after the start.
    assert others - {"PacketFabricExporterDown"} == {"End"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_one_incident_sends_one_message(messages: list[dict[str, Any]], name: str) -> None:
    """The scenario sends exactly the expected messages, and none that something is resolved."""
    sent = messages_of(messages, name)
    assert found_messages(messages, name) == list(SCENARIOS[name].messages), sent
    assert {message["status"] for message in sent} <= {"firing"}
