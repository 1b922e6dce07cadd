"""A real Prometheus scrapes the demo and answers questions about it."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.conftest import Program, tool, until

CONFIG = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: packetfabric
    static_configs: [{{targets: ["{target}"]}}]
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


class Prometheus:
    """Debian's Prometheus on loopback, with a data directory of its own."""

    def __init__(self, folder: Path, config: str) -> None:
        (folder / "prometheus.yml").write_text(config)
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self._log = (folder / "log").open("w")
        self._process = subprocess.Popen(
            [
                tool("prometheus"),
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=self._log,
            stderr=self._log,
        )

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What an instant query gives now; nothing while Prometheus is not up."""
        try:
            with urlopen(f"{self.url}/api/v1/query?{urlencode({'query': expression})}", timeout=10) as answer:
                result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        except (URLError, ConnectionError):
            return []
        return result

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._log.close()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    demo = Program("demo", "--listen-address=127.0.0.1:0", "--interval=1s")
    target = re.search(r"addresses=(\S+)", demo.wait_for("msg=listening"))
    assert target is not None
    server = Prometheus(tmp_path_factory.mktemp("prometheus"), CONFIG.format(target=target[1]))
    yield server
    server.stop()
    demo.process.kill()
    demo.end()
    assert demo.process.stdout is not None
    demo.process.stdout.close()


def answer(prometheus: Prometheus, expression: str, *, where: Callable[[float], bool]) -> None:
    """Wait until every result of an expression, and there is one, fulfils a condition."""

    def holds() -> bool:
        found = prometheus.query(expression)
        return bool(found) and all(where(float(one["value"][1])) for one in found)

    until(holds, expression, seconds=60)


def test_the_target_is_up(prometheus: Prometheus) -> None:
    """Prometheus takes the page, and the exporter says that its stream is up."""
    answer(prometheus, 'up{job="packetfabric"}', where=lambda value: value == 1)
    answer(prometheus, "packetfabric_up", where=lambda value: value == 1)


def test_rate_of_the_totals_agrees_with_the_rates(prometheus: Prometheus) -> None:
    """The rate PromQL makes of a port's byte counter is the rate the network reports, within a fifth."""
    measured = "packetfabric_port_receive_bytes_per_second > 1e6"
    share = f"rate(packetfabric_port_receive_bytes_total[15s]) / ({measured})"
    answer(prometheus, share, where=lambda value: 0.8 < value < 1.2)


def test_series_are_typed(prometheus: Prometheus) -> None:
    """Prometheus knows counters as counters: none of ours is untyped."""
    with urlopen(f"{prometheus.url}/api/v1/targets/metadata", timeout=10) as page:
        metadata = json.load(page)["data"]
    ours = {one["metric"]: one for one in metadata if one["metric"].startswith("packetfabric_")}
    assert len(ours) > 80
    assert all(one["type"] in ("counter", "gauge", "histogram") for one in ours.values())
    # It asked for OpenMetrics, where a counter's family has no suffix.
    assert ours["packetfabric_port_receive_bytes"]["type"] == "counter"


def test_nothing_was_refused(prometheus: Prometheus) -> None:
    """Prometheus kept every sample of the page: none was a duplicate, out of order or over a limit."""
    answer(
        prometheus,
        "scrape_samples_scraped - scrape_samples_post_metric_relabeling",
        where=lambda value: value == 0,
    )
