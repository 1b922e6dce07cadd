"""A real Alertmanager for tests, and a receiver of its notifications."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import yaml

from tests.server_program import ServerProgram
from tests.yaml_loader import load_yaml

EXAMPLE = Path(__file__).parents[1] / "prometheus" / "alertmanager.yml"


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


def seconds(duration: str) -> float:
    """Return the seconds of a duration of Prometheus with one unit."""
    return float(duration[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[duration[-1]]


def _routes(route: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield route
    for child in route.get("routes", ()):
        yield from _routes(child)


class Alertmanager(ServerProgram):
    """Debian's Alertmanager on loopback, with alertmanager.yml for another URL.

    Its intervals are divided by the factor ``faster``.
    """

    def __init__(self, folder: Path, webhook: str, *, faster: float = 300.0) -> None:
        config = load_yaml(EXAMPLE.read_text(encoding="utf-8"))
        for route in _routes(config["route"]):
            for key in {"group_wait", "group_interval", "repeat_interval"} & set(route):
                route[key] = f"{seconds(route[key]) / faster * 1000:.0f}ms"
        for receiver in config["receivers"]:
            receiver["webhook_configs"][0]["url"] = webhook
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
        super().__init__(
            folder,
            "prometheus-alertmanager",
            f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/alertmanager",
            "--web.listen-address=127.0.0.1:0",
            "--cluster.listen-address=",
        )

    def request(self, path: str, body: object = None) -> Any:
        """Return the response of its API, None while it is not up."""
        data = None if body is None else json.dumps(body).encode()
        http_request = Request(f"http://{self.address}{path}", data, {"Content-Type": "application/json"})
        try:
            with urlopen(http_request, timeout=60) as page:
                return json.loads(page.read() or b"{}")
        except (URLError, ConnectionError):
            return None
