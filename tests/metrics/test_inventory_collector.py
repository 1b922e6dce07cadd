"""Metric families of the polled resources: labels, spelling of IDs, and what no object can break."""

from __future__ import annotations

import contextlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from pf_exporter.inventory.polled_samples import polled_samples
from pf_exporter.inventory.snapshot import Snapshot
from pf_exporter.metrics.inventory_collector import FAMILIES, InventoryCollector
from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.labels import MAX_LABEL, canonical_id
from pf_exporter.schema.observation import Observation
from pf_exporter.schema.polled_resource import PolledResource, ReadContext
from pf_exporter.schema.resource import Resource
from pf_exporter.schema.resources import POLLED, RESOURCES
from pf_exporter.schema.resources.cloud_router_connections import CLOUD_ROUTER_CONNECTIONS
from pf_exporter.schema.resources.ports import PORTS
from pf_exporter.schema.resources.virtual_circuits import VIRTUAL_CIRCUITS
from pf_exporter.state import Store
from tests.inventory.fixtures import CreateAccount
from tests.inventory.harness import FakeApi, PolledAccount, observation, port
from tests.schema.test_polled_resources import EXPORTED

NOW = 1_790_000_000.0
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
IDS = st.sampled_from(["PF-AP-1", "PF-AP-1-PF", "PF-AP-2"]) | JSON
TEXTS = st.sampled_from(["10Gbps", "up", "Down", "[a=b]", '"\\\n', "🦝", "0", "-1", "1e999", "Active"]) | JSON


def objects(resource: Resource) -> st.SearchStrategy[Any]:
    """Objects that resemble those of a list."""
    fields = {field.split(".")[0]: TEXTS for field in resource.fields} | {resource.key: IDS}
    ends = st.lists(st.dictionaries(st.just("port_circuit_id"), IDS), max_size=3)
    sessions = st.lists(
        st.dictionaries(st.sampled_from(["bgp_state", "bgp_settings_uuid"]), TEXTS), max_size=3
    )
    fields |= {"interfaces": ends | JSON} if resource is VIRTUAL_CIRCUITS else {}
    fields |= {"bgp_state_list": sessions | JSON} if resource is CLOUD_ROUTER_CONNECTIONS else {}
    return st.fixed_dictionaries({}, optional=fields)


@given(
    st.fixed_dictionaries({resource.name: st.lists(objects(resource), max_size=4) for resource in RESOURCES}),
    st.lists(st.sampled_from(["PF-AP-1", "PF-AP-1-PF", "PF-AP-2-PF"]), max_size=3),
)
def test_no_object_breaks_the_page(lists: dict[str, list[Any]], streamed: list[str]) -> None:
    """Whatever the lists contain and the stream has sent, nothing raises and the page is valid."""
    found: dict[str, dict[str, Any]] = {}
    tags = ("a", "b")
    for resource in RESOURCES:
        read = [resource.parse(item, tags)[0] for item in lists[resource.name]]
        found[resource.name] = {canonical_id(circuit.id): circuit for circuit in read if circuit is not None}
    account = PolledAccount("http://127.0.0.1:9", description_tags=tags, cloud_router_connections=True)
    account.poller.lists.snapshot = Snapshot().updated(found, 1000, NOW)
    for circuit_id in streamed:
        account.store.write("default", observation(circuit_id), NOW)
    families = list(parse_openmetrics(generate_openmetrics(account.registry).decode()))
    assert sum(len(family.samples) for family in families) == sum(map(len, account.page().values()))


def polled_objects(resource: PolledResource) -> st.SearchStrategy[Any]:
    """Bodies that resemble those of a resource."""
    fields = dict.fromkeys(
        (*EXPORTED.get(resource.name, {}), "type", "action", "disabled", "capacity_mbps"),
        TEXTS | st.lists(IDS),
    )
    rows = st.lists(st.fixed_dictionaries({}, optional=fields), max_size=4)
    return (
        rows | st.fixed_dictionaries({}, optional={**fields, "labels": rows, "objects": st.lists(IDS)}) | JSON
    )


@given(
    st.fixed_dictionaries(
        {resource.name: st.lists(polled_objects(resource), max_size=2) for resource in POLLED}
    )
)
def test_no_response_breaks_the_page(bodies: dict[str, list[Any]]) -> None:
    """Whatever polled resources respond, nothing but ValueError is raised, and no series is there twice."""
    account = PolledAccount("http://127.0.0.1:9")
    readings = []
    for resource in POLLED:
        for body, target in zip(bodies.get(resource.name, []), ("a  b", "a b"), strict=False):
            context = ReadContext(target, resource.requests[0].kind)
            with contextlib.suppress(ValueError):
                readings.append(resource.read(body, context))
    account.store.write("default", observation("PF-AP-1-PF"), NOW)
    samples = list(polled_samples(readings, Snapshot(), NOW))
    account.poller.polled_samples = lambda: iter(samples)  # type: ignore[method-assign]
    families = list(parse_openmetrics(generate_openmetrics(account.registry).decode()))
    assert sum(len(family.samples) for family in families) == sum(map(len, account.page().values()))


def test_counters_start_at_zero(account: PolledAccount) -> None:
    """Every reason and every field is there at 0 before the first poll."""
    failures = account.values("inventory_refresh_failures_total", "reason")
    assert {"unavailable", "unauthorized", "forbidden", "rejected", "rate_limited"} <= failures.keys()
    rejected = account.values("inventory_fields_rejected_total", "field")
    assert {"speed", "mtu", "bandwidth.speed", "rate_limit_in", "port_circuit_id"} <= rejected.keys()
    assert {*failures.values(), *rejected.values()} == {0.0}


def test_families_without_samples_are_not_exposed() -> None:
    """A family without samples is left out, as Go's client does; `describe` has it."""
    collector = InventoryCollector([], Store(ttl=1, limit=1))
    assert {family.name for family in collector.collect()}.isdisjoint(spec.name for spec in FAMILIES)
    assert {family.name for family in collector.describe()}.issuperset(
        spec.name.removesuffix("_total") for spec in FAMILIES
    )


def test_descriptions_are_sanitized(api: FakeApi, account: PolledAccount) -> None:
    """Quotes, newlines, emoji and ten thousand characters become one label of limited length."""
    text = 'LAX "core"\n\\ \x00\x1b[31m\ud800 🦝 \u2028 ' + "x" * 10_000
    api.lists[PORTS.path] = [port(1, description=text)]
    account.poll()
    label = account.info("PF-AP-LAX1-1")["description"]
    assert label.startswith('LAX "core" \\ [31m 🦝 xxx')
    assert len(label.encode()) == MAX_LABEL


def test_a_new_description_changes_one_series(api: FakeApi, account: PolledAccount) -> None:
    """If a port is renamed, only the series of its info metric changes."""
    api.lists[PORTS.path] = [port(1), port(2)]
    account.poll()
    before = {(name, key) for name, values in account.page().items() for key in values}
    api.lists[PORTS.path] = [port(1, description="renamed"), port(2)]
    account.poll()
    after = {(name, key) for name, values in account.page().items() for key in values}
    assert [name for name, _ in before ^ after] == ["packetfabric_port_info"] * 2


def test_states_are_case_insensitive(api: FakeApi, account: PolledAccount) -> None:
    """States are read in either case; null, empty and missing values are absent and not rejected."""
    api.lists[PORTS.path] = [
        port(1, operational_status="UP", admin_status="Down"),
        port(2, operational_status=None, admin_status="", speed=None, mtu=None, description=None),
        {"port_circuit_id": "PF-AP-LAX1-3"},
    ]
    api.lists[VIRTUAL_CIRCUITS.path] = [
        {"vc_circuit_id": "PF-BC-1", "connected": False, "bandwidth": None, "interfaces": []},
        {"vc_circuit_id": "PF-BC-2", "connected": True, "rate_limit_in": None, "rate_limit_out": "1000"},
    ]
    account.poll()
    assert account.values("port_operational_up") == {"PF-AP-LAX1-1": 1.0}
    assert account.values("port_admin_up") == {"PF-AP-LAX1-1": 0.0}
    assert set(account.values("port_info")) == {f"PF-AP-LAX1-{number}" for number in (1, 2, 3)}
    assert account.values("vc_connected", "vc_circuit_id") == {"PF-BC-1": 0.0, "PF-BC-2": 1.0}
    assert account.values("vc_transmit_limit_bytes_per_second", "vc_circuit_id") == {"PF-BC-2": 125e6}
    assert account.values("vc_receive_limit_bytes_per_second", "vc_circuit_id") == {}
    assert sum(account.poller.rejected.values()) == 0


def test_tags_become_labels(api: FakeApi, create_account: CreateAccount) -> None:
    """Configured tags are labels of info metrics only; a missing tag is empty."""
    long = "[env=" + "x" * 300 + "]"
    api.lists[PORTS.path] = [
        port(1, description="core [env=prod][Team = net ops] [secret=1] [env]"),
        port(2, description="x" * 9000 + long),
        port(3, description="[env=[nested]] ] [=] [env"),
    ]
    api.lists[VIRTUAL_CIRCUITS.path] = [{"vc_circuit_id": "PF-BC-1", "description": "[Team=\x00lag]"}]
    account = create_account(description_tags=("env", "Team"))
    account.poll()
    assert (account.info("PF-AP-LAX1-1")["env"], account.info("PF-AP-LAX1-1")["Team"]) == ("prod", "net ops")
    assert account.info("PF-AP-LAX1-1")["description"] == "core [env=prod][Team = net ops] [secret=1] [env]"
    assert account.info("PF-AP-LAX1-2")["env"] == "x" * (MAX_LABEL - 3) + "…"
    assert account.info("PF-AP-LAX1-3")["env"] == ""
    assert account.info("PF-BC-1", "vc")["Team"] == "lag"
    assert all("env" not in dict(key) for key in account.page()["packetfabric_port_mtu_bytes"])


def test_ids_are_spelled_as_in_the_stream(api: FakeApi, account: PolledAccount) -> None:
    """Circuit IDs, also in labels that refer to other circuits, are spelled as the stream spells them."""
    api.lists[PORTS.path] = [
        port(1),
        port(2, port_circuit_id="PF-AP-LAX1-2-PF", parent_lag_circuit_id="PF-AP-LAX1-1"),
    ]
    ends = [{"port_circuit_id": "PF-AP-LAX1-1"}, {"port_circuit_id": "PF-AP-ELSEWHERE-9"}]
    api.lists[VIRTUAL_CIRCUITS.path] = [{"vc_circuit_id": "PF-BC-1", "connected": True, "interfaces": ends}]
    account.poll()
    assert set(account.values("port_mtu_bytes")) == {"PF-AP-LAX1-1", "PF-AP-LAX1-2-PF"}
    for circuit_id in ("PF-AP-LAX1-1-PF", "PF-AP-LAX1-2"):
        account.store.write("default", observation(circuit_id), NOW)
    numbers = (1.0,) * len(EVENTS["vc|metrics"].fields)
    end = ("PF-BC-1-PF", "PF-AP-LAX1-1-PF", "4")
    account.store.write("default", Observation(EVENTS["vc|metrics"], end, (), numbers, None), NOW)
    assert set(account.values("port_mtu_bytes")) == {"PF-AP-LAX1-1-PF", "PF-AP-LAX1-2"}
    assert account.info("PF-AP-LAX1-2")["lag"] == "PF-AP-LAX1-1-PF"
    circuit = account.info("PF-BC-1-PF", "vc")
    assert (circuit["port_a"], circuit["port_z"]) == ("PF-AP-LAX1-1-PF", "PF-AP-ELSEWHERE-9")
    assert account.values("vc_connected", "vc_circuit_id") == {"PF-BC-1-PF": 1.0}
    assert account.poller.circuits() == {"PF-AP-LAX1-1", "PF-AP-LAX1-2-PF", "PF-BC-1"}


def test_both_spellings_of_an_id_are_shown(api: FakeApi, account: PolledAccount) -> None:
    """If the stream spells an ID both ways, the port is shown under both, so that every join works."""
    api.lists[PORTS.path] = [port(1), port(2, parent_lag_circuit_id="PF-AP-LAX1-1")]
    account.poll()
    account.store.write("default", observation("PF-AP-LAX1-1", "port|errors"), NOW)
    account.store.write("default", observation("PF-AP-LAX1-1-PF", "port|metrics"), NOW)
    assert set(account.values("port_mtu_bytes")) == {"PF-AP-LAX1-1", "PF-AP-LAX1-1-PF", "PF-AP-LAX1-2"}
    assert account.info("PF-AP-LAX1-2")["lag"] == "PF-AP-LAX1-1-PF"


def test_spellings_are_per_account(api: FakeApi, account: PolledAccount) -> None:
    """The stream of one account does not affect IDs of another."""
    api.lists[PORTS.path] = [port(1)]
    account.poll()
    account.store.add_account("other")
    account.store.write("other", observation("PF-AP-LAX1-1-PF"), NOW)
    assert set(account.values("port_mtu_bytes")) == {"PF-AP-LAX1-1"}
