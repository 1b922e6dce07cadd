"""A real Prometheus, and a real VictoriaMetrics, for tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.conftest import until
from tests.server_program import ServerProgram

CONFIG = """\
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: packetfabric
    static_configs: [{{targets: ["{target}"]}}]
"""


class QueryServer(ServerProgram):
    """A server of Prometheus' HTTP API."""

    moment: float | None = None
    """The time of queries, if they do not give one; None for the present."""

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """The result of an instant query at a time; empty while Prometheus is not up."""
        at = self.moment if at is None else at
        parameters = {"query": expression, **({} if at is None else {"time": str(at)})}
        try:
            with urlopen(f"{self.url}/api/v1/query?{urlencode(parameters)}", timeout=60) as response:
                result: list[dict[str, Any]] = json.load(response)["data"]["result"]
        except (URLError, ConnectionError):
            return []
        return result


class Prometheus(QueryServer):
    """Debian's Prometheus on loopback, with its own data directory."""

    def __init__(self, folder: Path, config: str, *flags: str) -> None:
        (folder / "prometheus.yml").write_text(config)
        super().__init__(
            folder,
            "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/data",
            "--web.listen-address=127.0.0.1:0",
            *flags,
        )


class VictoriaMetrics(QueryServer):
    """Debian's VictoriaMetrics on loopback; it answers the same queries."""

    def __init__(self, folder: Path, config: str) -> None:
        (folder / "prometheus.yml").write_text(config)
        super().__init__(
            folder,
            "victoria-metrics",
            f"-promscrape.config={folder}/prometheus.yml",
            f"-storageDataPath={folder}/data",
            "-httpListenAddr=127.0.0.1:0",
            "-search.latencyOffset=0s",
        )

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """The result of a query, after everything that was received has been made visible."""
        with urlopen(f"{self.url}/internal/force_flush", timeout=60):
            pass
        return super().query(expression, at)


def wait_for(server: QueryServer, expression: str, *, where: Callable[[float], bool]) -> None:
    """Wait until an expression has results, and all of their values fulfil a condition."""

    def holds() -> bool:
        results = server.query(expression)
        return bool(results) and all(where(float(result["value"][1])) for result in results)

    until(holds, expression)
