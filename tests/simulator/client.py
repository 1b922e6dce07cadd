"""An independent API client for these tests; it shares no code with the exporter."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from pf_exporter.simulator import Simulator

ALL_STREAMS = ({"type": "port"}, {"type": "vc"}, {"type": "customer"})


class Client:
    """Sends requests with one token: the API key, until :meth:`log_in` is called."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.token: str | None = simulator.api_key

    def request(self, method: str, path: str, body: object = None, **query: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        url = self.simulator.url + path
        params = {name: str(value) for name, value in query.items()}
        return requests.request(method, url, json=body, params=params, headers=headers, timeout=60)

    def try_login(self, password: str | None = None) -> requests.Response:
        body = {"login": self.simulator.login, "password": password or self.simulator.password}
        return self.request("POST", "/v2/auth/login", body)

    def log_in(self) -> Client:
        self.token = self.try_login().json()["token"]
        return self

    def subscribe(self, *streams: object) -> str:
        response = self.request("POST", "/v2/events", {"streams": streams or ALL_STREAMS})
        assert response.status_code == 201
        return str(response.json()["subscription_uuid"])

    @contextmanager
    def stream(self, uuid: str | None = None) -> Iterator[requests.Response]:
        url = f"{self.simulator.url}/v2/events/{uuid or self.subscribe()}"
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "text/event-stream"}
        with requests.get(url, headers=headers, stream=True, timeout=60) as response:
            yield response


def read_frames(response: requests.Response) -> Iterator[bytes]:
    """Yield every complete frame until the stream ends, without the blank line."""
    rest = b""
    for chunk in response.iter_content(None):
        *complete, rest = (rest + chunk).split(b"\n\n")
        yield from complete


def read_events(response: requests.Response) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every event until the stream ends."""
    for frame in read_frames(response):
        if frame != b":":
            name, data = frame.decode().split("\n")
            yield name.removeprefix("event: "), json.loads(data.removeprefix("data: "))
