"""A real Prometheus, and a real VictoriaMetrics, for tests."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.conftest import listening_port, tool, until

CONFIG = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: packetfabric
    static_configs: [{{targets: ["{target}"]}}]
"""


class Prometheus:
    """Debian's Prometheus on loopback, with its own data directory."""

    def __init__(self, folder: Path, config: str, *flags: str) -> None:
        (folder / "prometheus.yml").write_text(config)
        self._log = (folder / "log").open("w")
        self._process = subprocess.Popen(
            [
                tool("prometheus"),
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                "--web.listen-address=127.0.0.1:0",
                *flags,
            ],
            stdout=self._log,
            stderr=self._log,
        )
        self.url = f"http://127.0.0.1:{listening_port(self._process)}"

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """The result of an instant query at a time or now; empty while Prometheus is not up."""
        parameters = {"query": expression, **({} if at is None else {"time": str(at)})}
        try:
            with urlopen(f"{self.url}/api/v1/query?{urlencode(parameters)}", timeout=10) as response:
                result: list[dict[str, Any]] = json.load(response)["data"]["result"]
        except (URLError, ConnectionError):
            return []
        return result

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._log.close()


class VictoriaMetrics(Prometheus):
    """Debian's VictoriaMetrics on loopback; it answers the same queries."""

    def __init__(self, folder: Path, config: str) -> None:
        (folder / "prometheus.yml").write_text(config)
        self._log = (folder / "log").open("w")
        self._process = subprocess.Popen(
            [
                tool("victoria-metrics"),
                f"-promscrape.config={folder}/prometheus.yml",
                f"-storageDataPath={folder}/data",
                "-httpListenAddr=127.0.0.1:0",
                "-search.latencyOffset=0s",
            ],
            stdout=self._log,
            stderr=self._log,
        )
        self.url = f"http://127.0.0.1:{listening_port(self._process)}"

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """The result of a query, after everything that was received has been made visible."""
        with urlopen(f"{self.url}/internal/force_flush", timeout=10):
            pass
        return super().query(expression, at)


def wait_for(prometheus: Prometheus, expression: str, *, where: Callable[[float], bool]) -> None:
    """Wait until an expression has results, and all of their values fulfil a condition."""

    def holds() -> bool:
        results = prometheus.query(expression)
        return bool(results) and all(where(float(result["value"][1])) for result in results)

    until(holds, expression, seconds=60)
