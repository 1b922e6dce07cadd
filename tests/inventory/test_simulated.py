"""The inventory as part of the exporter, against the simulator."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse_text

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import Config, InventorySettings, WebSettings
from pf_exporter.errors import Rejected
from pf_exporter.metrics.inventory_collector import INFO_FAMILIES
from pf_exporter.packetfabric.client import Client, Session
from pf_exporter.schema.polled_resource import ReadContext
from pf_exporter.schema.resources import POLLED
from pf_exporter.schema.resources.cloud_router_connection_rates import CLOUD_ROUTER_CONNECTION_RATES
from pf_exporter.service.exporter import Exporter
from pf_exporter.simulator import Options, Simulator
from tests.conftest import get, until

RATE = "/v2/metrics/cloud-router-connections/{}/rate/{}"


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(Options(listen_address="127.0.0.1:0", interval=0.2)) as simulator:
        yield simulator


def exporter(simulator: Simulator, **more: Any) -> Exporter:
    account = Account(
        api_url=simulator.url, login=Secret(simulator.login), password=Secret(simulator.password)
    )
    inventory = InventorySettings(**{"interval": 0.1, **more})
    return Exporter(
        Config(accounts=(account,), inventory=inventory, web=WebSettings(listen_address=("127.0.0.1:0",)))
    )


def test_every_circuit_of_the_simulator(simulator: Simulator) -> None:
    """Every port and circuit has its names, speed and states, and the session is the stream's."""
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
    assert (simulator.logins, simulator.subscriptions, simulator.live_sessions) == (1, 1, 0)


EVERYTHING: dict[str, Any] = {
    "requests_per_minute": 100_000,
    "cloud_router_connections": True,
    "optics": True,
    "bgp_routes": True,
    "bgp_log": True,
    "cloud_state": True,
    "contract": True,
    "labels": True,
}


def test_everything_of_the_simulator(simulator: Simulator) -> None:
    """With every setting, every resource is read without a failure, and every metric has a sample."""
    with exporter(simulator, interval=3600.0, **EVERYTHING) as running:
        poller = running.pipelines[0].inventory
        resources = {resource.name: resource for resource in POLLED}
        until(lambda: poller.stats.last_success.keys() >= resources.keys(), "every resource")
        requests = dict(poller.stats.requests)
        modules = [one for one in simulator.network.ports if one.circuit_id.startswith("PF-AP")]
        until(lambda: poller.stats.requests["port_optics"] == len(modules), "every port")
        page = get(f"http://{running.server.addresses[0]}/metrics")[2].decode()
        status = get(f"http://{running.server.addresses[0]}/")[2].decode()
    assert {key: count for key, count in poller.stats.failures.items() if count} == {}
    assert sum(poller.rejected.values()) == 0
    assert (
        requests["maintenance"] == requests["pop"] == requests["api_key"] == requests["flex_bandwidth"] == 1
    )
    families = {family.name for resource in POLLED for family in resource.families}
    missing = {family for family in families if f"\n{family}{{" not in page}
    assert missing == {"packetfabric_maintenance_affects_cloud_router_connection"}  # none in the default ones
    assert "In progress" in status


def test_rates_of_the_simulator(simulator: Simulator) -> None:
    """Rates are rows of seven integers, a minute apart; unknown connections and types get 404."""
    client = Client(Account(api_url=simulator.url), idle_timeout=5)
    session = Session(Secret(simulator.api_key), None, from_login=False)
    for type_ in ("bps", "pps"):
        rows = client.get(session, "rates", RATE.format("PF-L3-CON-4000001", type_), {})
        assert all(len(row) == 7 and all(type(number) is int for number in row) for row in rows)
        assert {after[0] - before[0] for before, after in itertools.pairwise(rows)} == {60}
        assert CLOUD_ROUTER_CONNECTION_RATES.read(rows, ReadContext(kind=type_)).measured_at
    for path in (RATE.format("PF-L3-CON-9", "bps"), RATE.format("PF-L3-CON-4000001", "furlongs")):
        with pytest.raises(Rejected, match="404"):
            client.get(session, "rates", path, {})


def test_a_server_that_ignores_paging(simulator: Simulator) -> None:
    """Lists that are always returned completely are read once."""
    simulator.faults.add("paging-ignored")
    with exporter(simulator) as running:
        inventory = running.pipelines[0].inventory
        until(lambda: inventory.snapshot.at, "a poll")
        assert len(inventory.circuits()) == 28


def test_a_failing_inventory_does_not_affect_the_stream(simulator: Simulator) -> None:
    """While the lists fail there is one login, one subscription and one stream."""
    simulator.faults.add("inventory-500")
    with exporter(simulator) as running:
        pipeline = running.pipelines[0]
        until(
            lambda: pipeline.stats.up and pipeline.inventory.failures["unavailable"] > 3,
            "stream, and failures",
        )
        assert (simulator.logins, simulator.subscriptions, simulator.streams) == (1, 1, 1)
        simulator.faults.discard("inventory-500")
        until(lambda: pipeline.inventory.snapshot.at, "a poll")


def test_a_dead_inventory_thread_ends_the_exporter(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unexpected exception in the inventory's thread is reported as one in the reader would be."""

    def bug(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("pf_exporter.schema.resource.Resource.parse", bug)
    with exporter(simulator) as running:
        until(lambda: running.failed, "the death of the thread")
