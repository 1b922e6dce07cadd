"""Prometheus and VictoriaMetrics load what the command writes, as the past of the scraped series."""

from __future__ import annotations

import re
import shlex
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pf_exporter.simulator import Simulator
from tests.backfill.sites import JOB, backfill, exporter_of, minute_ago, small_network, streamed
from tests.conftest import tool, until
from tests.prometheus_server import CONFIG, Prometheus, QueryServer, VictoriaMetrics
from tests.rules.promql import PROMETHEUS

HISTORY = (
    '{__name__=~"packetfabric_.*_per_second|packetfabric_port_optical_receive_power_dbm|.*bias_current.*",'
)
LIMITS = '__name__!~".*(speed|limit)_.*",job="packetfabric"}'
PAGE = Path(__file__).parents[2] / "docs" / "backfill.md"
SELECTOR = HISTORY + LIMITS


Start = Callable[[type[Prometheus | VictoriaMetrics]], QueryServer]


class Site:
    """A network, its exporter, and the labels that its series have in Prometheus."""

    def __init__(self, simulator: Simulator, target: str) -> None:
        self.simulator = simulator
        self.target = target

    def fill(self, output: str, *arguments: str) -> str:
        """Fill the last five hours without the last three; return the line that the command prints."""
        done = backfill(
            self.simulator,
            output,
            "--since=5h",
            f"--exporter=http://{self.target}",
            f"--label=job={JOB}",
            f"--label=instance={self.target}",
            *arguments,
        )
        assert (done.code, done.err) == (0, "")
        return done.out


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with small_network() as simulator, exporter_of(simulator) as exporter:
        yield Site(simulator, exporter.server.addresses[0])


def values(result: list[dict[str, Any]]) -> dict[frozenset[tuple[str, str]], float]:
    """Return the values of a query by label set."""
    return {frozenset(one["metric"].items()): float(one["value"][1]) for one in result}


def assert_same_series(server: QueryServer, site: Site) -> None:
    """What is scraped now, and what was loaded, has the same labels; what was loaded, the streamed values."""
    then = minute_ago(4)
    present = values(server.query(SELECTOR))
    assert len(present) > 30
    until(lambda: values(server.query(SELECTOR, then)).keys() == present.keys(), "the same series")
    past = values(server.query(SELECTOR, then))
    own = {("job", JOB), ("instance", site.target)}
    loaded = {labels - own: value for labels, value in past.items()}
    expected = streamed(site.simulator.network, then)
    connections = {labels for labels in loaded if "cloud_circuit_id" in dict(labels)}
    assert connections
    assert {labels: expected[labels] for labels in loaded.keys() - connections} == {
        labels: pytest.approx(value) for labels, value in loaded.items() if labels not in connections
    }


def load_rules(server: QueryServer, folder: Path) -> None:
    """Evaluate the rules of docs/backfill.md for the past, as the page says; rules.yml has the same rules."""
    text = PAGE.read_text(encoding="utf-8")
    (rules,) = re.findall(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    (command,) = re.findall(r"^promtool tsdb create-blocks-from rules (?:.*\\\n)*.*$", text, re.MULTILINE)
    generated = yaml.safe_load((PROMETHEUS / "rules.yml").read_text(encoding="utf-8"))["groups"]
    assert yaml.safe_load(rules)["groups"] == [group for group in generated if "interval" in group]
    (folder / "traffic.rules.yml").write_text(rules)
    program, *words = shlex.split(command.replace("\\\n", " "))
    places = {
        "2026-01-01T00:00:00Z": str((time.time() - 5 * 3600) // 300 * 300),
        "http://127.0.0.1:9090": server.url,
        "/var/lib/prometheus/metrics2": f"{folder}/data",
        "traffic.rules.yml": f"{folder}/traffic.rules.yml",
    }
    arguments = [places.get(word, word) for word in words]
    subprocess.run([tool(program), *arguments], check=True, capture_output=True, timeout=60)


def assert_percentiles(server: QueryServer) -> None:
    """The rules have the values of the samples, and the query of docs/backfill.md is their percentile."""
    text = PAGE.read_text(encoding="utf-8")
    (query,) = re.findall(r"^```promql\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    then = time.time() - 3.2 * 3600
    found = values(server.query(query.replace("[30d]", "[1h]"), then))
    assert len(found) == 4
    for labels, value in found.items():
        port = f'{{port_circuit_id="{dict(labels)["port_circuit_id"]}"}}'
        both = []
        for direction in ("receive", "transmit"):
            name = f"packetfabric_port_{direction}_bytes_per_second"
            (recorded,) = server.query(f"port:{name}:avg5m{port}[1h]", then)
            means = [(at, float(mean)) for at, mean in recorded["values"]]
            ((_, mean),) = values(server.query(f"avg_over_time({name}{port}[5m])", means[-1][0])).items()
            assert means[-1][1] == pytest.approx(mean)
            both.append(statistics.quantiles([mean for _, mean in means], n=20, method="inclusive")[-1])
        assert value == pytest.approx(8 * max(both))


@pytest.fixture
def start(site: Site, tmp_path: Path) -> Iterator[Start]:
    """Starts a server that scrapes the exporter, and waits until it has."""
    started: list[QueryServer] = []

    def start(server: type[Prometheus | VictoriaMetrics]) -> QueryServer:
        started.append(server(tmp_path, CONFIG.format(target=site.target)))
        until(lambda: len(started[-1].query(SELECTOR)) > 30, "scraped")
        return started[-1]

    yield start
    for server in started:
        server.stop()


def test_prometheus(site: Site, start: Start, tmp_path: Path) -> None:
    """promtool makes blocks of the file, and Prometheus continues the same series back into the past."""
    start(Prometheus).stop()
    printed = site.fill(f"{tmp_path}/history.om")
    command = printed.strip().rpartition("load them with: ")[2].replace("DATA_DIRECTORY", f"{tmp_path}/data")
    program, *arguments = command.split()
    subprocess.run([tool(program), *arguments], check=True, capture_output=True, timeout=60)
    server = start(Prometheus)
    assert_same_series(server, site)
    # Nothing of the last three hours, which the head block still holds.
    assert server.query(SELECTOR, time.time() - 2.5 * 3600) == []
    load_rules(server, tmp_path)
    server.stop()
    assert_percentiles(start(Prometheus))


def test_victoria_metrics(site: Site, start: Start, tmp_path: Path) -> None:
    """The samples are sent to VictoriaMetrics, which continues the same series back into the past."""
    server = start(VictoriaMetrics)
    printed = site.fill(server.url, f"--state={tmp_path}/state")
    assert f"sent to {server.url}" in printed
    assert_same_series(server, site)
    assert not (tmp_path / "state").exists()
