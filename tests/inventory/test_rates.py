"""Cloud router connections and their rates."""

from __future__ import annotations

import time

from starlette.responses import Response

from pf_exporter.schema.resources.cloud_router_connection_rates import CLOUD_ROUTER_CONNECTION_RATES
from pf_exporter.schema.resources.cloud_router_connections import CLOUD_ROUTER_CONNECTIONS
from tests.conftest import until
from tests.inventory.fixtures import CreateAccount
from tests.inventory.harness import FakeApi, PolledAccount, connection
from tests.state.harness import Clock

RATE = "/v2/metrics/cloud-router-connections/{}/rate/{}"


def test_cloud_router_connections_are_off_by_default(api: FakeApi, account: PolledAccount) -> None:
    """Without the setting they are not requested."""
    api.lists[CLOUD_ROUTER_CONNECTIONS.path] = [connection(1)]
    account.poll()
    assert api.count(CLOUD_ROUTER_CONNECTIONS.path) == 0
    assert account.values("cloud_router_connection_info", "cloud_circuit_id") == {}


def test_cloud_router_connections(api: FakeApi, create_account: CreateAccount) -> None:
    """The list gives their state and BGP sessions; their rates are requested one by one."""
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
    account = create_account(cloud_router_connections=True, polled=(CLOUD_ROUTER_CONNECTION_RATES,))
    account.poll()
    until(lambda: api.count(RATE.format("PF-L3-CON-2", "bps")), "the second connection")
    until(
        lambda: account.values("cloud_router_connection_receive_packets_per_second", "cloud_circuit_id"),
        "rates",
    )
    name = "cloud_router_connection"
    page = account.page()
    states = page[f"packetfabric_{name}_state"]
    assert sorted((dict(key)["cloud_circuit_id"], dict(key)["state"]) for key in states if states[key]) == [
        ("PF-L3-CON-1", "Active"),
        ("PF-L3-CON-2", "PendingDelete"),
    ]
    assert len(states) == 8
    sessions = page[f"packetfabric_{name}_bgp_up"]
    assert {dict(key)["bgp_settings_uuid"]: value for key, value in sessions.items()} == {"a": 1.0}
    for family, value in (
        ("receive_bytes_per_second", 10.0),
        ("transmit_bytes_per_second", 20.0),
        ("receive_packets_per_second", 3.0),
        ("transmit_packets_per_second", 4.0),
    ):
        assert account.values(f"{name}_{family}", "cloud_circuit_id") == {"PF-L3-CON-1": value}
    assert account.info("PF-L3-CON-1", name)["cloud_router_circuit_id"] == "PF-L3-CUST-1"
    assert {
        query["since"] for path, query in zip(api.requests, api.queries, strict=True) if "rate" in path
    } == {"1 hour ago"}
    # The second connection has no rates: that is counted, and costs nothing else.
    key = "cloud_router_connection_rates", "rejected"
    until(lambda: account.poll_failures() == {key: 1}, "the refusal counted")


def test_old_rates_are_not_shown(api: FakeApi, create_account: CreateAccount) -> None:
    """A rate with an old timestamp is not shown, nor is one of a connection that is gone."""
    now = time.time()
    api.lists[CLOUD_ROUTER_CONNECTIONS.path] = [connection(1), connection(2)]
    for number, at in ((1, now - 9000), (2, now - 60)):
        api.lists[RATE.format(f"PF-L3-CON-{number}", "bps")] = [[at, 8, 8, 8, 8, 8, 8]]
        api.lists[RATE.format(f"PF-L3-CON-{number}", "pps")] = []
    account = create_account(cloud_router_connections=True, polled=(CLOUD_ROUTER_CONNECTION_RATES,))
    account.poll()
    name = "cloud_router_connection_receive_bytes_per_second"
    until(lambda: account.values(name, "cloud_circuit_id") == {"PF-L3-CON-2": 1.0}, "the rate of the second")
    api.lists[CLOUD_ROUTER_CONNECTIONS.path] = []
    for _ in range(3):
        account.poll()
    assert account.values(name, "cloud_circuit_id") == {}


def test_unsafe_ids_are_not_requested(api: FakeApi, create_account: CreateAccount) -> None:
    """IDs that would change the path of a request are shown, but never requested."""
    unsafe = ["../../customers", "PF-L3-CON-1?x=", "PF/L3", "PF%2F", "-", ".."]
    api.lists[CLOUD_ROUTER_CONNECTIONS.path] = [
        connection(0, cloud_circuit_id=circuit_id) for circuit_id in [*unsafe, "PF-L3-CON-1"]
    ]
    for type_ in ("bps", "pps"):
        api.lists[RATE.format("PF-L3-CON-1", type_)] = []
    account = create_account(cloud_router_connections=True, polled=(CLOUD_ROUTER_CONNECTION_RATES,))
    account.poll()
    until(lambda: api.count(RATE.format("PF-L3-CON-1", "pps")), "the last rate")
    assert set(account.values("cloud_router_connection_info", "cloud_circuit_id")) == {*unsafe, "PF-L3-CON-1"}
    assert {path for path in api.requests if "rate" in path} == {
        RATE.format("PF-L3-CON-1", type_) for type_ in ("bps", "pps")
    }


def test_an_error_delays_the_requests_for_rates(api: FakeApi, create_account: CreateAccount) -> None:
    """After an error no more rates are requested for a while; the lists and the session are kept."""
    api.lists[CLOUD_ROUTER_CONNECTIONS.path] = [connection(number) for number in range(5)]
    for number in range(5):
        api.responses[RATE.format(f"PF-L3-CON-{number}", "bps")] = [Response(status_code=503)]
    account = create_account(
        cloud_router_connections=True, polled=(CLOUD_ROUTER_CONNECTION_RATES,), clock=Clock(0.0)
    )
    account.poll()
    until(account.poll_failures, "the failure")
    assert account.poll_failures() == {("cloud_router_connection_rates", "unavailable"): 1}
    session = account.session_manager.get()
    account.poll()
    assert len([path for path in api.requests if "rate" in path]) == 1
    assert set(account.values("cloud_router_connection_info", "cloud_circuit_id")) == {
        f"PF-L3-CON-{n}" for n in range(5)
    }
    assert account.session_manager.get() is session
    assert account.failures() == {}
