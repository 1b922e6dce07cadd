"""The inventory: what is read out of the lists, when they are fetched, and what /metrics says of them."""

from __future__ import annotations

import dataclasses
import itertools
import json
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import Config, InventorySettings, WebSettings
from pf_exporter.errors import Rejected
from pf_exporter.inventory.poller import InventoryPoller
from pf_exporter.inventory.snapshot import Snapshot
from pf_exporter.metrics.inventory_collector import INFO_FAMILIES, InventoryCollector
from pf_exporter.packetfabric.client import Client, Session
from pf_exporter.packetfabric.session import SessionManager
from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.labels import MAX_LABEL, canonical_id
from pf_exporter.schema.observation import Observation
from pf_exporter.schema.resources import RESOURCES
from pf_exporter.schema.resources.cloud_router_connection_rates import latest_rates
from pf_exporter.schema.resources.cloud_router_connections import CLOUD_ROUTER_CONNECTIONS
from pf_exporter.schema.resources.ports import PORTS
from pf_exporter.schema.resources.virtual_circuits import VIRTUAL_CIRCUITS
from pf_exporter.server.server import Server
from pf_exporter.service.exporter import Exporter
from pf_exporter.simulator import Options, Simulator
from pf_exporter.state.stats import AccountStats
from pf_exporter.state.store import Store
from pf_exporter.stream.subscription import Subscription
from tests.conftest import get, until

NOW = 1_790_000_000.0
RATE = "/v2/metrics/cloud-router-connections/{}/rate/{}"


def port(number: int, **more: object) -> dict[str, object]:
    """An object of /v2/ports."""
    return {
        "port_circuit_id": f"PF-AP-LAX1-{number}",
        "description": f"port {number}",
        "speed": "10Gbps",
        "operational_status": "up",
        "admin_status": "up",
        "mtu": 9096,
        **more,
    }


class Api:
    """A PacketFabric with lists that a test may change, and with answers it may prescribe."""

    def __init__(self) -> None:
        self._server = Server(self, ["127.0.0.1:0"], name="api")
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.lists: dict[str, list[Any]] = {listing.path: [] for listing in RESOURCES}
        self.answers: dict[str, list[Response | Callable[[], object]]] = {}
        """By path what comes before the lists: a response, or something to do first."""
        self.requests: list[str] = []
        self.queries: list[dict[str, str]] = []
        self.logins = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path
        self.requests.append(path)
        self.queries.append(dict(request.query_params))
        response = self._answer(path, request.query_params)
        await response(scope, receive, send)

    def _answer(self, path: str, query: Any) -> Response:
        if self.answers.get(path):
            answer = self.answers[path].pop(0)
            if isinstance(answer, Response):
                return answer
            answer()
        if path == "/v2/auth/login":
            self.logins += 1
            return JSONResponse({"token": f"token-{self.logins}"})
        if path == "/v2/events":
            return JSONResponse({"subscription_uuid": "bundle"}, 201)
        if path == "/v2/events/bundle":
            return Response(": heard\n\n", media_type="text/event-stream")
        if path not in self.lists:
            return JSONResponse({"message": "Requested URL not found"}, 404)
        offset, size = int(query.get("offset", 0)), int(query.get("page_size", 500))
        page = self.lists[path][offset : offset + size]
        return Response(json.dumps(page), media_type="application/json")

    @property
    def url(self) -> str:
        return f"http://{self._server.addresses[0]}"

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return self.requests.count(path)

    def __enter__(self) -> Api:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()


@pytest.fixture(scope="module")
def server() -> Iterator[Api]:
    with Api() as one:
        yield one


@pytest.fixture
def api(server: Api) -> Api:
    """A server that nobody has asked anything yet."""
    server.reset()
    return server


class House:
    """An inventory with everything it stands on, looking only when it is told to."""

    def __init__(
        self, url: str, name: str = "default", *, limit: int = 100_000, again: float = 0.0, **more: Any
    ) -> None:
        account = Account(name=name, api_url=url, login=Secret("user"), password=Secret("password"))
        self.account = account
        self.client = Client(account, idle_timeout=5)
        self.stats = AccountStats(account, idle_timeout=5)
        self.session_manager = SessionManager(self.client, self.stats)
        self.settings = InventorySettings(**{"interval": 3600.0, **more})
        self.deaths: list[BaseException] = []
        self.store = Store(ttl=600, limit=100_000)
        self.store.add_account(name)
        self.inventory = InventoryPoller(
            name,
            self.client,
            self.session_manager,
            self.settings,
            limit=limit,
            failed=self.deaths.append,
            again=again,
            spacing=0.0,
            chance=lambda: 0.0,
        )
        self.registry = CollectorRegistry()
        self.registry.register(
            InventoryCollector([self.inventory], self.store, self.settings.description_tags)
        )

    def look(self) -> None:
        """Look once more, and wait until that has succeeded or failed."""
        inventory = self.inventory
        before = self._looks()
        inventory.refresh() if inventory._thread.is_alive() else inventory.start()
        until(lambda: self._looks() != before or self.deaths, "another look")

    def _looks(self) -> tuple[object, ...]:
        return (id(self.inventory.snapshot), *self.inventory.failures.values())

    def page(self) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
        """What /metrics says: by name and labels the values; nothing is there twice or is not finite."""
        text = generate_latest(self.registry).decode()
        found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
        for family in parse_text(text):
            for sample in family.samples:
                key = tuple(sorted(sample.labels.items()))
                assert key not in found.setdefault(sample.name, {}), sample
                assert math.isfinite(sample.value)
                found[sample.name][key] = sample.value
        return found

    def of(self, name: str, label: str = "port_circuit_id") -> dict[str, float]:
        """The values of a family by one label."""
        return {dict(key)[label]: value for key, value in self.page().get(f"packetfabric_{name}", {}).items()}

    def info(self, circuit_id: str, noun: str = "port") -> dict[str, str]:
        """The labels of a circuit's info metric."""
        (found,) = [
            dict(key) for key in self.page()[f"packetfabric_{noun}_info"] if circuit_id in dict(key).values()
        ]
        return found

    def failures(self) -> dict[str, int]:
        """What failed, by reason."""
        return {reason: number for reason, number in self.inventory.failures.items() if number}

    def close(self) -> None:
        self.inventory.stop()
        self.client.abort()
        assert self.inventory.join(5)


@pytest.fixture
def house(api: Api) -> Iterator[Callable[..., House]]:
    """Builds inventories, and stops them."""
    built: list[House] = []

    def build(name: str = "default", **more: Any) -> House:
        built.append(House(api.url, name, **more))
        return built[-1]

    yield build
    for one in built:
        one.close()


# Any object


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
IDS = st.sampled_from(["PF-AP-1", "PF-AP-1-PF", "PF-AP-2"]) | JSON
TEXTS = st.sampled_from(["10Gbps", "up", "Down", "[a=b]", '"\\\n', "🦝", "0", "-1", "1e999", "Active"]) | JSON


def objects(listing: Any) -> st.SearchStrategy[Any]:
    """Objects that look like those of a list, more or less."""
    fields = {field.split(".")[0]: TEXTS for field in listing.fields} | {listing.key: IDS}
    ends = st.lists(st.dictionaries(st.just("port_circuit_id"), IDS), max_size=3)
    sessions = st.lists(
        st.dictionaries(st.sampled_from(["bgp_state", "bgp_settings_uuid"]), TEXTS), max_size=3
    )
    fields |= {"interfaces": ends | JSON} if listing is VIRTUAL_CIRCUITS else {}
    fields |= {"bgp_state_list": sessions | JSON} if listing is CLOUD_ROUTER_CONNECTIONS else {}
    return st.fixed_dictionaries({}, optional=fields)


@settings(deadline=None)
@given(
    st.fixed_dictionaries({listing.name: st.lists(objects(listing), max_size=4) for listing in RESOURCES}),
    st.lists(st.sampled_from(["PF-AP-1", "PF-AP-1-PF", "PF-AP-2-PF"]), max_size=3),
)
def test_no_object_breaks_the_page(lists: dict[str, list[Any]], streamed: list[str]) -> None:
    """Whatever is in the lists, and whatever the stream knows, no reader raises and the page stays valid."""
    found: dict[str, dict[str, Any]] = {}
    with_tags = ("a", "b")
    for listing in RESOURCES:
        read = [listing.parse(item, with_tags)[0] for item in lists[listing.name]]
        found[listing.name] = {canonical_id(circuit.id): circuit for circuit in read if circuit is not None}
    house = House("http://127.0.0.1:9", description_tags=with_tags, cloud_router_connections=True)
    house.inventory.snapshot = Snapshot().updated(found, 1000, NOW)
    for circuit_id in streamed:
        house.store.write("default", heard(circuit_id))
    families = list(parse_openmetrics(generate_openmetrics(house.registry).decode()))
    assert sum(len(family.samples) for family in families) == sum(map(len, house.page().values()))


def heard(circuit_id: str, event: str = "port|metrics") -> Observation:
    """An event of the stream about a port."""
    numbers = (1.0,) * len(EVENTS[event].fields)
    return Observation(EVENTS[event], (circuit_id,), (), numbers, None)


# Pages


@pytest.mark.parametrize("number", [0, 1, 499, 500, 501, 5000])
def test_every_page_is_read(api: Api, house: Callable[..., House], number: int) -> None:
    """However many ports there are, and wherever a page ends, all of them are there."""
    api.lists[PORTS.path] = [port(one) for one in range(number)]
    one = house()
    one.look()
    page = one.page()
    assert len(page.get("packetfabric_port_speed_bytes_per_second", ())) == number
    assert sorted(page["packetfabric_inventory_circuits"].values()) == [0, number]
    assert one.inventory.circuits() == {f"PF-AP-LAX1-{each}" for each in range(number)}


def test_the_last_of_two_objects_with_one_id_wins(api: Api, house: Callable[..., House]) -> None:
    """A port that is listed twice, also if once with -PF, is one port: what was said last."""
    api.lists[PORTS.path] = [
        port(1),
        port(2),
        port(1, mtu=1),
        port(2, mtu=2, port_circuit_id="PF-AP-LAX1-2-PF"),
    ]
    one = house()
    one.look()
    assert one.of("port_mtu_bytes") == {"PF-AP-LAX1-1": 1.0, "PF-AP-LAX1-2-PF": 2.0}


@pytest.mark.parametrize(
    ("path", "before", "reason"),
    [
        (PORTS.path, 1, "unavailable"),
        (VIRTUAL_CIRCUITS.path, 0, "unavailable"),
        (VIRTUAL_CIRCUITS.path, 0, "rejected"),
    ],
)
def test_half_a_look_changes_nothing(
    api: Api, house: Callable[..., House], path: str, before: int, reason: str
) -> None:
    """When the second page or the second list fails, all stays as it was, and the reason is counted."""
    api.lists[PORTS.path] = [port(one) for one in range(600)]
    one = house()
    one.look()
    held = one.inventory.snapshot
    api.lists[PORTS.path] = [port(one, mtu=1) for one in range(700)]
    fault = Response("upstream error", 503) if reason == "unavailable" else Response("<p>not JSON", 200)
    api.answers[path] = [*[lambda: None] * before, fault]
    one.look()
    assert one.inventory.snapshot is held
    assert one.failures() == {reason: 1}
    assert set(one.of("port_mtu_bytes").values()) == {9096.0}
    one.look()
    assert [*one.of("port_mtu_bytes").values()] == [1.0] * 700


def test_it_takes_two_looks_to_be_gone(api: Api, house: Callable[..., House]) -> None:
    """A port missing once stays as it was; missing twice it goes; found again it is there at once."""
    api.lists[PORTS.path] = [port(1), port(2)]
    one = house()
    one.look()
    api.lists[PORTS.path] = [port(1)]
    one.look()
    assert set(one.of("port_info")) == {"PF-AP-LAX1-1", "PF-AP-LAX1-2"}
    api.answers[VIRTUAL_CIRCUITS.path] = [Response(status_code=500)]
    one.look()
    assert set(one.of("port_info")) == {"PF-AP-LAX1-1", "PF-AP-LAX1-2"}
    one.look()
    assert set(one.of("port_info")) == {"PF-AP-LAX1-1"}
    api.lists[PORTS.path] = [port(1), port(2)]
    one.look()
    api.lists[PORTS.path] = [port(1)]
    one.look()
    assert set(one.of("port_info")) == {"PF-AP-LAX1-1", "PF-AP-LAX1-2"}


def test_the_time_of_the_last_good_look(api: Api, house: Callable[..., House]) -> None:
    """It is absent before the first, and stays while looks fail."""
    one = house()
    name = "inventory_last_success_timestamp_seconds"
    assert one.of(name, "account") == {}
    one.look()
    at = one.of(name, "account")["default"]
    assert time.time() - 60 < at <= time.time()
    api.answers[PORTS.path] = [Response(status_code=500)]
    one.look()
    assert one.of(name, "account") == {"default": at}


def test_counters_are_there_from_the_start(house: Callable[..., House]) -> None:
    """Every reason and every field is at 0 before anything happened."""
    one = house()
    failures = one.of("inventory_refresh_failures_total", "reason")
    assert {"unavailable", "unauthorized", "forbidden", "rejected", "rate_limited"} <= failures.keys()
    rejected = one.of("inventory_fields_rejected_total", "field")
    assert {"speed", "mtu", "bandwidth.speed", "rate_limit_in", "port_circuit_id"} <= rejected.keys()
    assert {*failures.values(), *rejected.values()} == {0.0}


# What is shown


def test_a_hostile_description(api: Api, house: Callable[..., House]) -> None:
    """Quotes, newlines, emoji and ten thousand characters become one tidy label."""
    text = 'LAX "core"\n\\ \x00\x1b[31m\ud800 🦝 \u2028 ' + "x" * 10_000
    api.lists[PORTS.path] = [port(1, description=text)]
    one = house()
    one.look()
    label = one.info("PF-AP-LAX1-1")["description"]
    assert label.startswith('LAX "core" \\ [31m 🦝 xxx')
    assert len(label) == MAX_LABEL


def test_a_new_description_changes_one_series(api: Api, house: Callable[..., House]) -> None:
    """When a port is renamed its info metric is another, and nothing else is."""
    api.lists[PORTS.path] = [port(1), port(2)]
    one = house()
    one.look()
    before = {(name, key) for name, values in one.page().items() for key in values}
    api.lists[PORTS.path] = [port(1, description="renamed"), port(2)]
    one.look()
    after = {(name, key) for name, values in one.page().items() for key in values}
    assert [name for name, _ in before ^ after] == ["packetfabric_port_info"] * 2


def test_states_in_either_case_and_nulls(api: Api, house: Callable[..., House]) -> None:
    """States are read in either case; null, empty and missing are absent and nothing to complain of."""
    api.lists[PORTS.path] = [
        port(1, operational_status="UP", admin_status="Down"),
        port(2, operational_status=None, admin_status="", speed=None, mtu=None, description=None),
        {"port_circuit_id": "PF-AP-LAX1-3"},
    ]
    api.lists[VIRTUAL_CIRCUITS.path] = [
        {"vc_circuit_id": "PF-BC-1", "connected": False, "bandwidth": None, "interfaces": []},
        {"vc_circuit_id": "PF-BC-2", "connected": True, "rate_limit_in": None, "rate_limit_out": "1000"},
    ]
    one = house()
    one.look()
    assert one.of("port_operational_up") == {"PF-AP-LAX1-1": 1.0}
    assert one.of("port_admin_up") == {"PF-AP-LAX1-1": 0.0}
    assert set(one.of("port_info")) == {f"PF-AP-LAX1-{number}" for number in (1, 2, 3)}
    assert one.of("vc_connected", "vc_circuit_id") == {"PF-BC-1": 0.0, "PF-BC-2": 1.0}
    assert one.of("vc_transmit_limit_bytes_per_second", "vc_circuit_id") == {"PF-BC-2": 125e6}
    assert one.of("vc_receive_limit_bytes_per_second", "vc_circuit_id") == {}
    assert sum(one.inventory.rejected.values()) == 0


def test_an_unknown_speed(api: Api, house: Callable[..., House], caplog: pytest.LogCaptureFixture) -> None:
    """Speed of unknown form: no speed for that port, counted at each look, logged once; the rest is there."""
    api.lists[PORTS.path] = [port(1, speed="warp 9"), port(2)]
    one = house("speeding")
    with caplog.at_level(logging.WARNING):
        one.look()
        one.look()
    assert one.of("port_speed_bytes_per_second") == {"PF-AP-LAX1-2": 1.25e9}
    assert one.info("PF-AP-LAX1-1")["speed"] == "warp 9"
    assert one.of("inventory_fields_rejected_total", "field")["speed"] == 2.0
    said = [getattr(record, "fields", {}) for record in caplog.records if "cannot be used" in record.message]
    assert [(fields["circuit"], fields["field"], fields["value"]) for fields in said] == [
        ("PF-AP-LAX1-1", "speed", "warp 9")
    ]


def test_an_object_without_an_id_is_counted(api: Api, house: Callable[..., House]) -> None:
    """What has no usable id is left out: none, empty, too long, or with characters that no id has."""
    odd = [None, "", 5, "x" * 300, "PF AP\n1", "\ud800"]
    api.lists[PORTS.path] = [port(1), *(port(2, port_circuit_id=one) for one in odd), "no object", None]
    one = house()
    one.look()
    assert set(one.of("port_info")) == {"PF-AP-LAX1-1"}
    assert one.inventory.rejected["port_circuit_id"] == len(odd)


def test_the_limit_of_series(api: Api, house: Callable[..., House], caplog: pytest.LogCaptureFixture) -> None:
    """Above the limit new circuits are left out, counted and logged; those that are there stay."""
    api.lists[PORTS.path] = [port(1), port(2)]
    one = house("small", limit=11)
    one.look()
    api.lists[PORTS.path] = [port(3), port(2), port(1)]
    with caplog.at_level(logging.WARNING):
        one.look()
    assert set(one.of("port_info")) == {"PF-AP-LAX1-1", "PF-AP-LAX1-2"}
    assert one.of("inventory_circuits_left_out", "account") == {"small": 1.0}
    assert "limit of series reached by the inventory" in caplog.messages
    api.lists[PORTS.path] = [port(3), port(2)]
    one.look()
    one.look()
    assert set(one.of("port_info")) == {"PF-AP-LAX1-3", "PF-AP-LAX1-2"}


def test_tags_become_labels(api: Api, house: Callable[..., House]) -> None:
    """Named keys in a description are labels of the info metrics and of no other; absent ones are empty."""
    long = "[env=" + "x" * 300 + "]"
    api.lists[PORTS.path] = [
        port(1, description="core [env=prod][Team = net ops] [secret=1] [env]"),
        port(2, description="x" * 9000 + long),
        port(3, description="[env=[nested]] ] [=] [env"),
    ]
    api.lists[VIRTUAL_CIRCUITS.path] = [{"vc_circuit_id": "PF-BC-1", "description": "[Team=\x00lag]"}]
    one = house(description_tags=("env", "Team"))
    one.look()
    assert (one.info("PF-AP-LAX1-1")["env"], one.info("PF-AP-LAX1-1")["Team"]) == ("prod", "net ops")
    assert one.info("PF-AP-LAX1-1")["description"] == "core [env=prod][Team = net ops] [secret=1] [env]"
    assert one.info("PF-AP-LAX1-2")["env"] == "x" * (MAX_LABEL - 1) + "…"
    assert one.info("PF-AP-LAX1-3")["env"] == ""
    assert one.info("PF-BC-1", "vc")["Team"] == "lag"
    assert all("env" not in dict(key) for key in one.page()["packetfabric_port_mtu_bytes"])


# Ids


def test_ids_are_those_of_the_stream(api: Api, house: Callable[..., House]) -> None:
    """As the stream writes an id, with or without -PF, so do all families and the labels that refer to it."""
    api.lists[PORTS.path] = [
        port(1),
        port(2, port_circuit_id="PF-AP-LAX1-2-PF", parent_lag_circuit_id="PF-AP-LAX1-1"),
    ]
    ends = [{"port_circuit_id": "PF-AP-LAX1-1"}, {"port_circuit_id": "PF-AP-ELSEWHERE-9"}]
    api.lists[VIRTUAL_CIRCUITS.path] = [{"vc_circuit_id": "PF-BC-1", "connected": True, "interfaces": ends}]
    one = house()
    one.look()
    assert set(one.of("port_mtu_bytes")) == {"PF-AP-LAX1-1", "PF-AP-LAX1-2-PF"}
    for circuit_id in ("PF-AP-LAX1-1-PF", "PF-AP-LAX1-2"):
        one.store.write("default", heard(circuit_id))
    numbers = (1.0,) * len(EVENTS["vc|metrics"].fields)
    end = ("PF-BC-1-PF", "PF-AP-LAX1-1-PF", "4")
    one.store.write("default", Observation(EVENTS["vc|metrics"], end, (), numbers, None))
    assert set(one.of("port_mtu_bytes")) == {"PF-AP-LAX1-1-PF", "PF-AP-LAX1-2"}
    assert one.info("PF-AP-LAX1-2")["lag"] == "PF-AP-LAX1-1-PF"
    circuit = one.info("PF-BC-1-PF", "vc")
    assert (circuit["port_a"], circuit["port_z"]) == ("PF-AP-LAX1-1-PF", "PF-AP-ELSEWHERE-9")
    assert one.of("vc_connected", "vc_circuit_id") == {"PF-BC-1-PF": 1.0}
    assert one.inventory.circuits() == {"PF-AP-LAX1-1", "PF-AP-LAX1-2-PF", "PF-BC-1"}


def test_a_stream_of_two_minds(api: Api, house: Callable[..., House]) -> None:
    """If the stream spells one id both ways, the port is there under both: every join has its partner."""
    api.lists[PORTS.path] = [port(1), port(2, parent_lag_circuit_id="PF-AP-LAX1-1")]
    one = house()
    one.look()
    one.store.write("default", heard("PF-AP-LAX1-1", "port|errors"))
    one.store.write("default", heard("PF-AP-LAX1-1-PF", "port|metrics"))
    assert set(one.of("port_mtu_bytes")) == {"PF-AP-LAX1-1", "PF-AP-LAX1-1-PF", "PF-AP-LAX1-2"}
    assert one.info("PF-AP-LAX1-2")["lag"] == "PF-AP-LAX1-1-PF"


def test_accounts_do_not_mix(api: Api, house: Callable[..., House]) -> None:
    """What the stream of one account knows changes no id of another."""
    api.lists[PORTS.path] = [port(1)]
    one = house()
    one.look()
    one.store.add_account("other")
    one.store.write("other", heard("PF-AP-LAX1-1-PF"))
    assert set(one.of("port_mtu_bytes")) == {"PF-AP-LAX1-1"}


# The thread


def test_off(api: Api, house: Callable[..., House]) -> None:
    """With an interval of 0 nothing is ever asked."""
    one = house(interval=0.0)
    one.inventory.start()
    one.inventory.refresh()
    assert one.inventory.join(0)
    assert api.requests == []
    assert one.of("inventory_circuits", "type") == {}


def test_it_looks_every_interval(api: Api, house: Callable[..., House]) -> None:
    """Nobody asks, and it looks again and again."""
    one = house(interval=0.05, again=1.0)
    one.inventory.start()
    until(lambda: api.count(VIRTUAL_CIRCUITS.path) >= 4, "four looks")


def test_refreshes_keep_a_distance(api: Api, house: Callable[..., House]) -> None:
    """However often a refresh is asked for, the next look begins no sooner than it may."""
    one = house(again=0.3)
    began = time.monotonic()
    one.inventory.start()
    while api.count(VIRTUAL_CIRCUITS.path) < 3:
        one.inventory.refresh()
        threading.Event().wait(0.01)
        assert time.monotonic() - began < 10
    assert time.monotonic() - began >= 0.55


def test_a_new_subscription_asks_for_a_look(api: Api, house: Callable[..., House]) -> None:
    """When a bundle is made the inventory is looked at anew; when a stream is only reopened it is not."""
    one = house()
    one.look()
    refresh = one.inventory.refresh
    subscription = Subscription(
        one.account, one.client, one.session_manager, subscribed=lambda bundle: refresh()
    )
    subscription.open().stream.close()
    until(lambda: api.count(VIRTUAL_CIRCUITS.path) == 2, "a second look")
    subscription.open().stream.close()
    assert not threading.Event().wait(0.1)
    assert (api.count("/v2/events"), api.count("/v2/events/bundle"), api.count(VIRTUAL_CIRCUITS.path)) == (
        1,
        2,
        2,
    )


def test_it_stops_at_once_while_it_waits(api: Api, house: Callable[..., House]) -> None:
    """A stop is not kept waiting, neither by the interval nor by what a server told us to wait."""
    api.answers[PORTS.path] = [Response(status_code=503, headers={"Retry-After": "3000"})]
    waiting, told = house("waiting", again=60.0), house("told")
    told.look()
    assert told.failures() == {"unavailable": 1}
    waiting.look()
    began = time.monotonic()
    waiting.close()
    told.close()
    assert time.monotonic() - began < 1


def test_it_stops_at_once_while_it_asks(api: Api, house: Callable[..., House]) -> None:
    """A server that does not answer is not waited for, and the end is nobody's failure."""
    asked, end = threading.Event(), threading.Event()

    def hang() -> None:
        asked.set()
        end.wait(10)

    api.answers[PORTS.path] = [hang]
    one = house()
    one.inventory.start()
    assert asked.wait(10)
    began = time.monotonic()
    one.close()
    assert time.monotonic() - began < 1
    assert one.failures() == {}
    end.set()


def test_retry_after_is_obeyed(api: Api, house: Callable[..., House]) -> None:
    """Told to wait, it waits, even when a refresh is asked for."""
    api.answers[PORTS.path] = [Response(status_code=429, headers={"Retry-After": "3000"})]
    one = house()
    one.look()
    assert one.failures() == {"rate_limited": 1}
    one.inventory.refresh()
    assert not threading.Event().wait(0.2)
    assert api.count(PORTS.path) == 1


def test_failures_back_off(api: Api, house: Callable[..., House]) -> None:
    """It tries again by itself, each time after a longer while, and a success begins anew."""
    one = house(interval=0.02)
    api.answers[PORTS.path] = [Response(status_code=500)] * 3
    one.inventory.start()
    until(lambda: one.inventory.snapshot.at, "a success after three failures")
    assert one.failures() == {"unavailable": 3}
    assert one.inventory._backoff.attempt == 0


def test_a_bug_is_reported(
    house: Callable[..., House], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug in the thread reaches whoever runs the exporter, with its way in the log."""

    def bug(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("pf_exporter.schema.resource.Resource.read", bug)
    monkeypatch.setattr("pf_exporter.inventory.snapshot.Snapshot.followed_by", bug)
    one = house()
    one.look()
    assert [type(death) for death in one.deaths] == [RuntimeError]
    assert "a thread has died of a bug" in caplog.messages


# The session


def test_a_session_that_ended_is_renewed(api: Api, house: Callable[..., House]) -> None:
    """When the API no longer accepts a session that was good, there is one new login, and looks go on."""
    one = house()
    one.session_manager._schedule = dataclasses.replace(
        one.session_manager._schedule, minimum=0.0, maximum=0.0
    )
    one.look()
    session = one.session_manager.get()
    api.answers[VIRTUAL_CIRCUITS.path] = [Response(status_code=401)]
    one.look()
    assert one.failures() == {"unauthorized": 1}
    one.look()
    assert api.logins == 2
    assert one.session_manager.get() is not session
    assert one.failures() == {"unauthorized": 1}


def test_a_session_that_never_was_good_is_left_to_the_stream(api: Api, house: Callable[..., House]) -> None:
    """A user who may stream but not list, and is told 401, is not logged in again and again for that."""
    one = house()
    one.session_manager._schedule = dataclasses.replace(
        one.session_manager._schedule, minimum=0.0, maximum=0.0
    )
    session = one.session_manager.get()
    api.answers[PORTS.path] = [Response(status_code=401) for _ in range(5)]
    for _ in range(5):
        one.look()
    assert one.failures() == {"unauthorized": 5}
    assert one.session_manager.get() is session
    assert api.logins == 1


def test_a_missing_permission_costs_no_session(
    api: Api, house: Callable[..., House], caplog: pytest.LogCaptureFixture
) -> None:
    """403 leaves the session to the stream, and is said as something a person has to mend."""
    one = house()
    one.look()
    session = one.session_manager.get()
    api.answers[PORTS.path] = [Response(status_code=403)]
    one.look()
    assert one.session_manager.get() is session
    assert one.failures() == {"forbidden": 1}
    assert [record.levelname for record in caplog.records if record.message == "inventory not refreshed"] == [
        "ERROR"
    ]


def test_no_login_beyond_the_schedule(api: Api, house: Callable[..., House]) -> None:
    """A refused login is not tried again before its time, however often a look is asked for."""
    api.answers["/v2/auth/login"] = [Response(status_code=401)]
    one = house()
    one.look()
    one.inventory.refresh()
    assert not threading.Event().wait(0.2)
    assert api.count("/v2/auth/login") == 1
    assert one.failures() == {"unauthorized": 1}


# Cloud router connections


def connection(number: int, **more: object) -> dict[str, object]:
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
        **more,
    }


def test_cloud_router_connections_are_off_by_default(api: Api, house: Callable[..., House]) -> None:
    """Unless it is set, nobody asks for them."""
    api.lists[CLOUD_ROUTER_CONNECTIONS.path] = [connection(1)]
    one = house()
    one.look()
    assert api.count(CLOUD_ROUTER_CONNECTIONS.path) == 0
    assert one.of("cloud_router_connection_info", "cloud_circuit_id") == {}


def test_cloud_router_connections(api: Api, house: Callable[..., House]) -> None:
    """Their list gives what they are, their state and their BGP sessions; their rates come one by one."""
    now = int(time.time())
    api.lists[CLOUD_ROUTER_CONNECTIONS.path] = [
        connection(1),
        connection(2, state="PendingDelete", bgp_state_list=None),
    ]
    rows = [
        [now - 60, 80, 1, 9, 160, 1, 9],
        [now - 120, 8, 8, 8, 8, 8, 8],
        "odd",
        [1],
        {},
        [now, None, 0, 0, 0],
    ]
    api.lists[RATE.format("PF-L3-CON-1", "bps")] = rows
    api.lists[RATE.format("PF-L3-CON-1", "pps")] = [[now, 3, 0, 0, 4, 0, 0]]
    one = house(cloud_router_connections=True)
    one.look()
    until(lambda: api.count(RATE.format("PF-L3-CON-2", "pps")), "the last rate")
    name = "cloud_router_connection"
    page = one.page()
    states = page[f"packetfabric_{name}_state"]
    assert sorted((dict(key)["cloud_circuit_id"], dict(key)["state"]) for key in states if states[key]) == [
        ("PF-L3-CON-1", "Active"),
        ("PF-L3-CON-2", "PendingDelete"),
    ]
    assert len(states) == 8
    sessions = page[f"packetfabric_{name}_bgp_up"]
    assert {dict(key)["bgp_settings_uuid"]: value for key, value in sessions.items()} == {"a": 1.0, "": 0.0}
    for family, value in (
        ("receive_bytes_per_second", 10.0),
        ("transmit_bytes_per_second", 20.0),
        ("receive_packets_per_second", 3.0),
        ("transmit_packets_per_second", 4.0),
    ):
        assert one.of(f"{name}_{family}", "cloud_circuit_id") == {"PF-L3-CON-1": value}
    assert one.info("PF-L3-CON-1", name)["cloud_router_circuit_id"] == "PF-L3-CUST-1"
    assert {
        query["since"] for path, query in zip(api.requests, api.queries, strict=True) if "rate" in path
    } == {"1 hour ago"}
    # The second connection has no rates: that is counted, and costs nothing else.
    until(lambda: one.failures() == {"rejected": 2}, "both refusals counted")


def test_old_rates_are_not_shown(api: Api, house: Callable[..., House]) -> None:
    """A rate of long ago, by its own time, is no latest rate; nor is one of a connection that is gone."""
    now = time.time()
    api.lists[CLOUD_ROUTER_CONNECTIONS.path] = [connection(1), connection(2)]
    for number, at in ((1, now - 9000), (2, now - 60)):
        api.lists[RATE.format(f"PF-L3-CON-{number}", "bps")] = [[at, 8, 8, 8, 8, 8, 8]]
        api.lists[RATE.format(f"PF-L3-CON-{number}", "pps")] = []
    one = house(cloud_router_connections=True)
    one.look()
    name = "cloud_router_connection_receive_bytes_per_second"
    until(lambda: one.of(name, "cloud_circuit_id") == {"PF-L3-CON-2": 1.0}, "the rate of the second")
    api.lists[CLOUD_ROUTER_CONNECTIONS.path] = []
    one.look()
    one.look()
    assert one.of(name, "cloud_circuit_id") == {}


def test_no_id_leads_a_request_astray(api: Api, house: Callable[..., House]) -> None:
    """Ids that would make another URL are shown, but never become part of one."""
    odd = ["../../customers", "PF-L3-CON-1?x=", "PF/L3", "PF%2F", "-", ".."]
    api.lists[CLOUD_ROUTER_CONNECTIONS.path] = [
        connection(0, cloud_circuit_id=one) for one in [*odd, "PF-L3-CON-1"]
    ]
    one = house(cloud_router_connections=True)
    one.look()
    until(lambda: api.count(RATE.format("PF-L3-CON-1", "pps")), "the last rate")
    assert set(one.of("cloud_router_connection_info", "cloud_circuit_id")) == {*odd, "PF-L3-CON-1"}
    assert {path for path in api.requests if "rate" in path} == {
        RATE.format("PF-L3-CON-1", type_) for type_ in ("bps", "pps")
    }


def test_rates_take_turns(api: Api, house: Callable[..., House]) -> None:
    """Where there is time for only some rates, those that have waited longest come first the next time."""
    api.lists[CLOUD_ROUTER_CONNECTIONS.path] = [connection(number) for number in range(5)]
    one = house(cloud_router_connections=True)
    rates, asked, left = one.inventory._rates, [], 0

    def go_on() -> bool:
        nonlocal left
        left -= 1
        return left >= 0

    one.session_manager.get()
    ids = [f"PF-L3-CON-{number}" for number in range(5)]
    for _ in range(3):
        left = 4
        api.requests.clear()
        rates.look(ids, go_on)
        asked += [path.split("/")[4][-1] for path in api.requests if path.endswith("bps")]
    assert "".join(asked) == "012340"


def test_an_outage_ends_the_rates_of_a_look(api: Api, house: Callable[..., House]) -> None:
    """A server that is down is not asked for every connection, and no session is given up for a rate."""
    api.lists[CLOUD_ROUTER_CONNECTIONS.path] = [connection(number) for number in range(5)]
    api.answers[RATE.format("PF-L3-CON-0", "bps")] = [Response(status_code=503), Response(status_code=401)]
    one = house(cloud_router_connections=True)
    one.look()
    until(lambda: one.failures() == {"unavailable": 1}, "the failure")
    session = one.session_manager.get()
    assert len([path for path in api.requests if "rate" in path]) == 1
    assert set(one.of("cloud_router_connection_info", "cloud_circuit_id")) == {
        f"PF-L3-CON-{n}" for n in range(5)
    }
    one.inventory.refresh()
    until(lambda: one.failures() == {"unavailable": 1, "unauthorized": 1}, "the other failure")
    assert one.session_manager.get() is session


# As part of the exporter


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(Options(listen_address="127.0.0.1:0", interval=0.2)) as one:
        yield one


def exporter(simulator: Simulator, **more: Any) -> Exporter:
    account = Account(
        api_url=simulator.url, login=Secret(simulator.login), password=Secret(simulator.password)
    )
    inventory = InventorySettings(**{"interval": 0.1, **more})
    return Exporter(
        Config(accounts=(account,), inventory=inventory, web=WebSettings(listen_address=("127.0.0.1:0",)))
    )


def test_against_the_simulator(simulator: Simulator) -> None:
    """Every port and circuit of the network has its names, speed and states, in the stream's session."""
    network = simulator.network
    with exporter(simulator, cloud_router_connections=True) as running:
        inventory, stats = running.pipelines[0].inventory, running.pipelines[0].stats
        until(lambda: stats.up and inventory.snapshot.at, "stream and inventory")
        assert sum(inventory.failures.values()) == sum(inventory.rejected.values()) == 0
        ids = {one.circuit_id for one in network.ports} | {one.circuit_id for one in network.circuits}
        assert inventory.circuits() == ids
        page = get(f"http://{running.server.addresses[0]}/metrics")[2].decode()
    families = {family.name: family.samples for family in parse_text(page)}
    speeds = {
        one.labels["port_circuit_id"]: one.value
        for one in families["packetfabric_port_speed_bytes_per_second"]
    }
    assert speeds == {one.circuit_id: one.gbps * 1e9 / 8 for one in network.ports}
    limits = families["packetfabric_vc_receive_limit_bytes_per_second"]
    assert {one.labels["vc_circuit_id"]: one.value for one in limits} == {
        one.circuit_id: one.mbps * 1e6 / 8 for one in network.circuits
    }
    lags = {one.labels["port_circuit_id"]: one.labels["lag"] for one in families["packetfabric_port_info"]}
    assert lags == {one.circuit_id: one.lag.circuit_id if one.lag else "" for one in network.ports}
    ends = [(one.labels["port_a"], one.labels["port_z"]) for one in families["packetfabric_vc_info"]]
    assert ends == [(one.a.port.circuit_id, one.z.port.circuit_id) for one in network.circuits]
    assert {name for name, samples in families.items() if samples} >= INFO_FAMILIES
    assert (simulator.logins, simulator.bundles, simulator.live_sessions) == (1, 1, 0)


def test_rates_of_the_simulator(simulator: Simulator) -> None:
    """The simulator's rates are rows of seven whole numbers, a minute apart; of what it has not, 404."""
    client = Client(Account(api_url=simulator.url), idle_timeout=5)
    session = Session(Secret(simulator.api_key), None, from_login=False)
    for type_ in ("bps", "pps"):
        rows = client.get(session, "rates", RATE.format("PF-L3-CON-4000001", type_), {})
        assert all(len(row) == 7 and all(type(number) is int for number in row) for row in rows)
        assert {after[0] - before[0] for before, after in itertools.pairwise(rows)} == {60}
        assert latest_rates(rows, type_) is not None
    for path in (RATE.format("PF-L3-CON-9", "bps"), RATE.format("PF-L3-CON-4000001", "furlongs")):
        with pytest.raises(Rejected, match="404"):
            client.get(session, "rates", path, {})


def test_a_server_that_ignores_paging(simulator: Simulator) -> None:
    """Lists that always come whole end all the same, and are read once."""
    simulator.faults.add("paging-ignored")
    with exporter(simulator) as running:
        inventory = running.pipelines[0].inventory
        until(lambda: inventory.snapshot.at, "a look")
        assert len(inventory.circuits()) == 28


def test_an_inventory_that_fails_leaves_the_stream_alone(simulator: Simulator) -> None:
    """While the lists fail, the stream streams: one login, one bundle, one stream."""
    simulator.faults.add("inventory-500")
    with exporter(simulator) as running:
        pipeline = running.pipelines[0]
        until(
            lambda: pipeline.stats.up and pipeline.inventory.failures["unavailable"] > 3,
            "stream, and failures",
        )
        assert (simulator.logins, simulator.bundles, simulator.streams) == (1, 1, 1)
        simulator.faults.discard("inventory-500")
        until(lambda: pipeline.inventory.snapshot.at, "a look")


def test_a_dead_inventory_takes_the_process_along(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in the inventory's thread is reported as one in the reader's would be."""

    def bug(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("pf_exporter.inventory.poller.InventoryPoller._fetch", bug)
    with exporter(simulator) as running:
        until(lambda: running.failed, "the death of the thread")
