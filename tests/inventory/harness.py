"""A fake API with lists, and an inventory poller with everything it needs."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families as parse_text
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import InventorySettings
from pf_exporter.inventory.pause import Pause
from pf_exporter.inventory.poller import InventoryPoller
from pf_exporter.metrics.inventory_collector import InventoryCollector
from pf_exporter.packetfabric.backoff import Backoff
from pf_exporter.packetfabric.client import Client
from pf_exporter.packetfabric.session import SessionManager
from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.observation import Observation
from pf_exporter.schema.polled_resource import PolledResource
from pf_exporter.schema.resources import POLLED, RESOURCES
from pf_exporter.server.server import Server
from pf_exporter.state.store import Store
from tests.conftest import until

ALL_RESOURCES: Any = {resource.setting: True for resource in POLLED if resource.setting}
"""The settings that poll everything."""


def port(number: int, **fields: object) -> dict[str, object]:
    """An object of /v2/ports."""
    return {
        "port_circuit_id": f"PF-AP-LAX1-{number}",
        "description": f"port {number}",
        "speed": "10Gbps",
        "operational_status": "up",
        "admin_status": "up",
        "mtu": 9096,
        **fields,
    }


def connection(number: int, **fields: object) -> dict[str, object]:
    """An object of the list of cloud router connections."""
    return {
        "cloud_circuit_id": f"PF-L3-CON-{number}",
        "description": f"connection {number}",
        "cloud_router_circuit_id": "PF-L3-CUST-1",
        "state": "active",
        "speed": "1Gbps",
        "bgp_state_list": [
            {"bgp_settings_uuid": "a", "bgp_state": "Established"},
            {"bgp_state": "configuring"},
        ],
        **fields,
    }


def observation(circuit_id: str, event: str = "port|metrics") -> Observation:
    """An event of the stream about a port."""
    values = (1.0,) * len(EVENTS[event].fields)
    return Observation(EVENTS[event], (circuit_id,), (), values, None)


class FakeApi:
    """A PacketFabric API whose lists and responses a test sets."""

    def __init__(self) -> None:
        self._server = Server(self, ["127.0.0.1:0"], name="api")
        self.reset()

    def reset(self) -> None:
        """Empty the lists and forget all requests."""
        self.lists: dict[str, list[Any]] = {resource.path: [] for resource in RESOURCES}
        self.objects: dict[str, object] = {}
        """By path, bodies that are not lists in pages."""
        self.responses: dict[str, list[Response | Callable[[], object]]] = {}
        """By path, what the next requests get: a response, or a call before the list is returned."""
        self.pages: dict[str, Callable[[int, int], list[Any]]] = {}
        """By path, what returns the page for an offset and a page size in place of the list."""
        self.requests: list[str] = []
        self.queries: list[dict[str, str]] = []
        self.logins = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path
        self.requests.append(path)
        self.queries.append(dict(request.query_params))
        response = self._respond(path, request.query_params)
        await response(scope, receive, send)

    def _respond(self, path: str, query: Any) -> Response:
        if self.responses.get(path):
            prepared = self.responses[path].pop(0)
            if isinstance(prepared, Response):
                return prepared
            prepared()
        if path == "/v2/auth/login":
            self.logins += 1
            return JSONResponse({"token": f"token-{self.logins}"})
        if path == "/v2/events":
            return JSONResponse({"subscription_uuid": "subscription"}, 201)
        if path == "/v2/events/subscription":
            return Response(": heartbeat\n\n", media_type="text/event-stream")
        if path not in self.lists:
            status = 200 if path in self.objects else 404
            return JSONResponse(self.objects.get(path, {"message": "Requested URL not found"}), status)
        offset, size = int(query.get("offset", 0)), int(query.get("page_size", 500))
        if path in self.pages:
            page = self.pages[path](offset, size)
        else:
            page = self.lists[path][offset : offset + size]
        return Response(json.dumps(page), media_type="application/json")

    @property
    def url(self) -> str:
        return f"http://{self._server.addresses[0]}"

    def count(self, path: str) -> int:
        """Return how often a path was requested."""
        return self.requests.count(path)

    def __enter__(self) -> FakeApi:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()


class RecordedPause(Pause):
    """A pause that records each wait before it begins, and whether it follows the request for a poll."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[tuple[float, bool]] = []

    def wait(self, seconds: float, *, is_requested: bool) -> None:
        self.waits.append((seconds, is_requested))
        super().wait(seconds, is_requested=is_requested)


class PolledAccount:
    """An account's poller with its client, session, store and collector; polls only on request.

    ``login_schedule`` and ``min_interval`` default to no waiting; ``polled`` are the
    resources beside the lists; the other options are inventory settings.
    """

    def __init__(
        self,
        url: str,
        name: str = "default",
        *,
        limit: int = 100_000,
        min_interval: float = 0.0,
        random: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        login_schedule: Backoff | None = None,
        polled: tuple[PolledResource, ...] = (),
        **options: Any,
    ) -> None:
        self.account = Account(name=name, api_url=url, login=Secret("user"), password=Secret("password"))
        self.client = Client(self.account, idle_timeout=5)
        self.session_manager = SessionManager(
            self.client,
            self.account.name,
            **({} if login_schedule is None else {"schedule": login_schedule}),  # type: ignore[arg-type]
        )
        self.settings = InventorySettings(**{"interval": 3600.0, "requests_per_minute": 10**9, **options})
        self.thread_errors: list[BaseException] = []
        self.store = Store(ttl=600, limit=100_000)
        self.store.add_account(name)
        self.pause = RecordedPause()
        self.poller = InventoryPoller(
            name,
            self.client,
            self.session_manager,
            self.settings,
            limit=limit,
            on_failure=self.thread_errors.append,
            min_interval=min_interval,
            pause=self.pause,
            clock=clock,
            wall=wall,
            polled=polled,
            random=lambda: random,
        )
        self._started = False
        self._polls = 0
        self._poll_lists = self.poller.lists.run
        self.poller.lists.run = self._count_poll  # type: ignore[method-assign]
        self.registry = CollectorRegistry()
        self.registry.register(InventoryCollector([self.poller], self.store, self.settings.description_tags))

    def start(self) -> None:
        """Start the poller's thread."""
        self._started = True
        self.poller.start()

    def poll(self) -> None:
        """Poll once and wait until that has succeeded or failed."""
        before = self._polls
        if self._started:
            self.poller.refresh()
        else:
            self.start()
        until(lambda: self._polls > before or self.thread_errors, "the next poll")

    def _count_poll(self) -> None:
        self._poll_lists()
        self._polls += 1

    def page(self) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
        """Return /metrics by name and labels; every sample is unique and finite."""
        text = generate_latest(self.registry).decode()
        found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
        for family in parse_text(text):
            for sample in family.samples:
                key = tuple(sorted(sample.labels.items()))
                assert key not in found.setdefault(sample.name, {}), sample
                assert math.isfinite(sample.value)
                found[sample.name][key] = sample.value
        return found

    def values(self, name: str, label: str = "port_circuit_id") -> dict[str, float]:
        """Return the values of a family by one label."""
        return {dict(key)[label]: value for key, value in self.page().get(f"packetfabric_{name}", {}).items()}

    def info(self, circuit_id: str, resource: str = "port") -> dict[str, str]:
        """Return the labels of a circuit's info metric."""
        (found,) = [
            dict(key)
            for key in self.page()[f"packetfabric_{resource}_info"]
            if circuit_id in dict(key).values()
        ]
        return found

    def failures(self) -> dict[str, int]:
        """Return the failures that have happened, by reason."""
        return {reason: count for reason, count in self.poller.failures.items() if count}

    def poll_failures(self) -> dict[tuple[str, str], int]:
        """Return the failures that have happened, by resource and reason."""
        return {key: count for key, count in self.poller.stats.failures.items() if count}

    def close(self) -> None:
        """Stop the poller."""
        self.poller.stop()
        self.client.abort()
        assert self.poller.join(60)
