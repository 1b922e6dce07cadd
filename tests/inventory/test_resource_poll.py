"""Polls of resources: their order, what happens when one fails, and what is shown."""

from __future__ import annotations

import calendar
import logging
import time
from collections.abc import Iterable

import pytest
from starlette.responses import Response

from pf_exporter.inventory.resource_poll import REFUSALS
from pf_exporter.schema.polled_resource import HOUR, PolledResource, ReadContext, Reading
from pf_exporter.schema.resources.api_keys import API_KEYS
from pf_exporter.schema.resources.bgp import BGP_LOG, BGP_SETTINGS
from pf_exporter.schema.resources.cloud_router_connections import CLOUD_ROUTER_CONNECTIONS
from pf_exporter.schema.resources.contract import ORDERS
from pf_exporter.schema.resources.labels import CIRCUIT_LABELS, LABELS
from pf_exporter.schema.resources.maintenance_notifications import MAINTENANCE
from pf_exporter.schema.resources.pops import POPS
from pf_exporter.schema.resources.port_modules import PORT_DEVICES
from pf_exporter.schema.resources.ports import PORTS
from pf_exporter.schema.resources.virtual_circuits import VIRTUAL_CIRCUITS
from tests.conftest import until
from tests.inventory.fixtures import CreateAccount
from tests.inventory.harness import FakeApi, PolledAccount, connection, port
from tests.state.harness import Clock

KEYS = [{"uuid": "k-1", "name": "a", "expiration": "2027-01-01T00:00:00Z"}]
DEVICE = "/v2/ports/{}/device-info"
NOT_AVAILABLE = "resource not available; its metrics are absent"


def path(resource: PolledResource) -> str:
    return resource.requests[0].path


def answered(account: PolledAccount, resources: Iterable[PolledResource]) -> None:
    """Wait until each resource has succeeded or failed."""
    stats = account.poller.stats

    def names() -> set[str]:
        return {*stats.last_success, *(name for (name, _), count in stats.failures.items() if count)}

    until(lambda: names() >= {resource.name for resource in resources}, "an answer for each resource")


def refresh(account: PolledAccount) -> None:
    """Poll what is due, and wait until the poller has handled the answers and waits again."""
    waits = account.pause.waits
    before = len(waits)
    account.poller.refresh()
    until(lambda: len(waits) > before and not waits[-1][1], "the end of the poll")


def test_each_resource_is_asked_once_at_start(api: FakeApi, create_account: CreateAccount) -> None:
    """The lists come first, then every resource; the next request comes a period later."""
    polled = (MAINTENANCE, POPS, API_KEYS)
    api.lists |= {path(one): [] for one in polled}
    account = create_account(polled=polled, clock=Clock(0.0))
    account.poll()
    answered(account, polled)
    paths = [one for one in api.requests if not one.endswith(("login", "ports", "services"))]
    assert sorted(paths) == sorted(map(path, polled))
    assert api.requests.index("/v2/services") < min(api.requests.index(path(one)) for one in polled)
    until(lambda: account.pause.waits, "the wait for the next one")
    ((seconds, _),) = account.pause.waits
    assert seconds == pytest.approx(0.95 * MAINTENANCE.period)
    assert account.poller.stats.requests == {"port": 1, "vc": 1, "maintenance": 1, "pop": 1, "api_key": 1}


@pytest.mark.parametrize("status", [403, 404])
def test_what_is_refused_is_asked_once_a_day(
    api: FakeApi, create_account: CreateAccount, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A refusal is logged and counted once; a day later it is asked again."""
    clock = Clock(0.0)
    api.lists[path(API_KEYS)] = KEYS
    api.responses[path(API_KEYS)] = [Response(status_code=status) for _ in range(2)]
    caplog.set_level(logging.INFO)
    account = create_account(polled=(API_KEYS,), clock=clock)
    account.poll()
    answered(account, [API_KEYS])
    for hours, requests in ((2, 1), (20, 1), (25, 2), (40, 2), (60, 3)):
        clock.now = hours * HOUR
        refresh(account)
        assert api.count(path(API_KEYS)) == requests
        assert bool(account.values("api_key_expiry_timestamp_seconds", "api_key")) is (hours == 60)
    reason = "forbidden" if status == 403 else "rejected"
    assert account.poll_failures() == {("api_key", reason): 2}
    assert caplog.messages.count(NOT_AVAILABLE) == 1
    assert caplog.messages.count("resource polled again") == 1


@pytest.mark.parametrize("status", [403, 404])
def test_what_was_allowed_is_refused(
    api: FakeApi, create_account: CreateAccount, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """A few refusals of what was read before neither hide it nor stop its polls for a day; many do."""
    clock = Clock(0.0)
    api.lists[path(API_KEYS)] = KEYS
    caplog.set_level(logging.INFO)
    account = create_account(polled=(API_KEYS,), clock=clock)
    account.poll()
    answered(account, [API_KEYS])
    api.responses[path(API_KEYS)] = [Response(status_code=status) for _ in range(REFUSALS)]
    for refusals in range(1, REFUSALS + 1):
        assert account.values("api_key_expiry_timestamp_seconds", "api_key") == {"a": 1798761600.0}
        clock.now += API_KEYS.period
        refresh(account)
        assert api.count(path(API_KEYS)) == 1 + refusals
    for hours, is_shown in ((12, False), (13, True)):
        assert not account.values("api_key_expiry_timestamp_seconds", "api_key")
        clock.now += hours * HOUR
        refresh(account)
        assert bool(account.values("api_key_expiry_timestamp_seconds", "api_key")) is is_shown
    warnings = ["resource not polled", NOT_AVAILABLE, "resource polled again"]
    assert [message for message in caplog.messages if message in warnings] == warnings


def test_how_long_values_are_shown(api: FakeApi, create_account: CreateAccount) -> None:
    """Without another success values are shown for a day, however the system's clock is set meanwhile."""
    clock, wall = Clock(0.0), Clock(0.0)
    api.lists[path(API_KEYS)] = KEYS
    account = create_account(polled=(API_KEYS,), clock=clock, wall=wall)
    account.poll()
    answered(account, [API_KEYS])
    account.poller.stop()
    for seconds, is_shown in ((0.0, True), (24 * HOUR, True), (24 * HOUR + 1, False)):
        for year in (1970, 2026, 1902):
            clock.now, wall.now = seconds, calendar.timegm((year, 1, 1, 0, 0, 0))
            assert bool(account.values("api_key_expiry_timestamp_seconds", "api_key")) is is_shown


def test_a_failure_touches_nothing_else(
    api: FakeApi, create_account: CreateAccount, caplog: pytest.LogCaptureFixture
) -> None:
    """While one resource fails, and one returns nonsense, the lists and the others are read."""
    api.lists |= {path(MAINTENANCE): [], path(API_KEYS): KEYS}
    api.responses[path(POPS)] = [Response(status_code=500)]
    api.responses[path(MAINTENANCE)] = [Response('{"odd": 1}', 200)]
    account = create_account(polled=(MAINTENANCE, POPS, API_KEYS))
    account.poll()
    answered(account, account.poller.resources)
    assert account.poll_failures() == {("maintenance", "rejected"): 1, ("pop", "unavailable"): 1}
    assert account.failures() == {}
    assert account.values("api_key_expiry_timestamp_seconds", "api_key")
    assert "default" in account.values("inventory_last_success_timestamp_seconds", "account")
    assert caplog.messages.count("resource not polled") == 2


def test_an_outage_is_logged_once(
    api: FakeApi, create_account: CreateAccount, caplog: pytest.LogCaptureFixture
) -> None:
    """If the lists fail for the same reason, which is logged, the resources are only counted."""
    for one in (PORTS.path, VIRTUAL_CIRCUITS.path, path(MAINTENANCE), path(POPS)):
        api.responses[one] = [Response(status_code=503)]
    account = create_account(polled=(MAINTENANCE, POPS))
    account.poll()
    answered(account, [MAINTENANCE, POPS])
    assert caplog.messages == ["inventory not refreshed"]


def test_the_only_account_is_refused(
    api: FakeApi, create_account: CreateAccount, caplog: pytest.LogCaptureFixture
) -> None:
    """If all targets are refused the resource is, also if there is only one."""
    uuid = "a2115890-ed02-4795-a6dd-c485bec3529c"
    api.lists[PORTS.path] = [port(1, account_uuid=uuid)]
    account = create_account(polled=(ORDERS,))
    account.poll()
    until(account.poll_failures, "the refusal")
    until(lambda: account.poller.failing() == [ORDERS.name], "the status")
    until(lambda: caplog.messages, "the log")
    assert caplog.messages == [NOT_AVAILABLE]


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_of_everything(api: FakeApi, create_account: CreateAccount, status: int) -> None:
    """What is refused together with the lists is requested again soon, as they are, and not after a day."""
    clock = Clock(0.0)
    api.lists |= {path(API_KEYS): KEYS}
    for one in (PORTS.path, VIRTUAL_CIRCUITS.path, path(API_KEYS)):
        api.responses[one] = [Response(status_code=status)]
    account = create_account(polled=(API_KEYS,), clock=clock, random=1.0)
    account.poll()
    until(lambda: account.pause.waits, "the wait after all refusals")
    assert {name for name, _ in account.poll_failures()} == {PORTS.name, VIRTUAL_CIRCUITS.name, API_KEYS.name}
    clock.now = 600.0
    account.poller.refresh()
    until(lambda: account.values("api_key_expiry_timestamp_seconds", "api_key"), "the metric")


@pytest.mark.parametrize("error", [ValueError, KeyError, TypeError, OverflowError])
def test_a_response_that_cannot_be_read(
    api: FakeApi, create_account: CreateAccount, error: type[Exception]
) -> None:
    """Whatever a reader raises, the response is rejected and the thread goes on."""

    def read(body: object, context: ReadContext) -> Reading:
        raise error("odd")

    api.lists |= {path(API_KEYS): KEYS, path(POPS): []}
    account = create_account(polled=(POPS._replace(read=read), API_KEYS))
    account.poll()
    answered(account, account.poller.resources)
    assert account.poll_failures() == {("pop", "rejected"): 1}
    assert account.thread_errors == []


def test_retry_after_holds_everything(api: FakeApi, create_account: CreateAccount) -> None:
    """After HTTP 429 nothing is requested until the API allows it."""
    api.responses[path(MAINTENANCE)] = [Response(status_code=429, headers={"Retry-After": "3000"})]
    account = create_account(polled=(MAINTENANCE, POPS))
    account.poll()
    answered(account, [MAINTENANCE])
    account.poller.refresh()
    account.close()
    assert api.count(path(POPS)) == 0
    assert account.poll_failures() == {("maintenance", "rate_limited"): 1}


def test_a_failing_circuit_is_passed_over(api: FakeApi, create_account: CreateAccount) -> None:
    """After an error about one port the others are requested first; it is requested again a period later."""
    clock = Clock(0.0)
    api.lists[PORTS.path] = [port(number) for number in range(4)]
    account = create_account(polled=(PORT_DEVICES,), clock=clock, random=1.0)
    devices = {f"PF-AP-LAX1-{number}": {"time_flapped": "2026-08-20 22:08:37"} for number in range(4)}
    api.objects = {DEVICE.format(one): device for one, device in devices.items()}
    api.responses = {DEVICE.format("PF-AP-LAX1-2"): [Response(status_code=500)]}
    account.poll()

    def found(count: int) -> bool:
        """Move the clock by a minute, and return whether so many ports have been read."""
        clock.now += 60.0
        account.poller.refresh()
        return len(account.values("port_last_flap_timestamp_seconds")) == count

    until(lambda: found(3), "the other ports")
    assert set(account.values("port_last_flap_timestamp_seconds")) == set(devices) - {"PF-AP-LAX1-2"}
    until(lambda: found(4), "the port that failed")
    assert account.poll_failures() == {("port_device", "unavailable"): 1}


def test_a_refused_circuit_costs_only_itself(
    api: FakeApi, create_account: CreateAccount, caplog: pytest.LogCaptureFixture
) -> None:
    """A port without the resource is left out and logged; if many in a row are refused, the resource is."""
    many = REFUSALS + 5
    api.lists[PORTS.path] = [port(number) for number in range(2 * many)]
    api.objects = {
        DEVICE.format(f"PF-AP-LAX1-{number}"): {"time_flapped": "2026-08-20 22:08:37"}
        for number in range(0, 2 * many, 2)
    }
    # The log tells it once for each account.
    account = create_account("refused", polled=(PORT_DEVICES,))
    account.poll()
    until(lambda: len(account.values("port_last_flap_timestamp_seconds")) == many, "every second port")
    assert caplog.messages == ["resource not available for a target; its metrics are absent"]
    api.objects = {}
    account.close()
    other = create_account("other", polled=(PORT_DEVICES,))
    api.requests.clear()
    other.poll()
    until(lambda: len([one for one in api.requests if "device-info" in one]) == REFUSALS, "the refusals")
    until(lambda: other.poller.stats.failures["port_device", "rejected"] == REFUSALS, "their count")
    other.close()
    assert len([one for one in api.requests if "device-info" in one]) == REFUSALS


def test_targets(api: FakeApi, create_account: CreateAccount) -> None:
    """Labels come from a list, accounts from circuits; LAGs, orders and unsafe IDs are not requested."""
    uuid = "a2115890-ed02-4795-a6dd-c485bec3529c"
    api.lists[PORTS.path] = [
        port(1, account_uuid=uuid),
        port(2, port_circuit_id="PF-AE-LAX1-2", account_uuid="../x"),
        port(3, port_circuit_id="a/../b"),
        port(4, state="Requested"),
    ]
    api.objects = {
        path(LABELS): {"labels": ["R&D east/1", "..", "a\nb"]},
        "/v2/labels/R&D east/1": {"objects": ["PF-AP-LAX1-1-PF", "PF-BC-1"]},
        DEVICE.format("PF-AP-LAX1-1"): {},
        f"/v2/billing/services/{uuid}": [{"circuit_id": "PF-BC-1", "end_date": "2027-01-01T00:00:00Z"}],
    }
    polled = (LABELS, CIRCUIT_LABELS, PORT_DEVICES, ORDERS)
    account = create_account(polled=polled)
    account.poll()
    answered(account, polled)
    assert account.poll_failures() == {}
    assert set(account.values("circuit_label", "circuit_id")) == {"PF-AP-LAX1-1-PF", "PF-BC-1"}
    assert account.values("circuit_term_end_timestamp_seconds", "circuit_id") == {"PF-BC-1": 1798761600.0}
    assert account.poller.stats.requests["port_device"] == 1


def test_a_refusal_ends_with_its_circuits(api: FakeApi, create_account: CreateAccount) -> None:
    """A resource that is not requested any more, because its circuits are gone, does not count as failing."""
    api.lists[PORTS.path] = [port(1)]
    account = create_account(polled=(PORT_DEVICES,))
    account.poll()
    until(lambda: account.poller.failing() == [PORT_DEVICES.name], "the refusal")
    api.lists[PORTS.path] = []
    for _ in range(4):
        account.poll()
    assert account.poller.failing() == []


def test_circuits_that_are_gone(api: FakeApi, create_account: CreateAccount) -> None:
    """What was read of a port disappears with it, and is read again when it is back."""
    api.lists[PORTS.path] = [port(1), port(2)]
    api.objects = {DEVICE.format(f"PF-AP-LAX1-{n}"): {"time_flapped": "2026-08-20 22:08:37"} for n in (1, 2)}
    account = create_account(polled=(PORT_DEVICES,))
    account.poll()
    name = "port_last_flap_timestamp_seconds"
    until(lambda: len(account.values(name)) == 2, "both ports")
    api.lists[PORTS.path] = [port(1)]
    account.poll()
    account.poll()
    assert set(account.values(name)) == {"PF-AP-LAX1-1"}
    api.lists[PORTS.path] = [port(1), port(2)]
    account.poll()
    until(lambda: len(account.values(name)) == 2, "both ports again")


def test_sessions_of_connections(api: FakeApi, create_account: CreateAccount) -> None:
    """Settings of BGP sessions are joined with the connections; unknown sessions are left out."""
    api.lists[CLOUD_ROUTER_CONNECTIONS.path] = [connection(1), connection(2)]
    api.lists[path(BGP_SETTINGS)] = [
        {"bgp_settings_uuid": "a", "disabled": True},
        {"bgp_settings_uuid": "b", "disabled": False},
    ]
    account = create_account(polled=(BGP_SETTINGS,), cloud_router_connections=True)
    account.poll()
    answered(account, [BGP_SETTINGS])
    assert account.values("cloud_router_connection_bgp_enabled", "cloud_circuit_id") == {
        "PF-L3-CON-1": 0.0,
        "PF-L3-CON-2": 0.0,
    }


def test_pops_in_use(api: FakeApi, create_account: CreateAccount) -> None:
    """Only POPs with a circuit of the account have their place exported."""
    api.lists[PORTS.path] = [port(1, pop="LAX1")]
    api.lists[path(POPS)] = [{"pop": "LAX1", "city": "Los Angeles"}, {"pop": "NYC1"}]
    account = create_account(polled=(POPS,))
    account.poll()
    answered(account, [POPS])
    assert account.values("pop_info", "pop") == {"LAX1": 1.0}


def test_time_ranges(api: FakeApi, create_account: CreateAccount) -> None:
    """Maintenances are requested from yesterday on; logs up to now, with an overlap."""
    api.lists[CLOUD_ROUTER_CONNECTIONS.path] = [connection(1)]
    api.lists |= {path(MAINTENANCE): [], "/v2/services/cloud-routers/PF-L3-CUST-1/bgp-logs": []}
    polled = (MAINTENANCE, BGP_LOG)
    account = create_account(polled=polled, bgp_log=True)
    account.poll()
    answered(account, polled)
    queries = dict(zip(api.requests, api.queries, strict=True))

    def age(text: str) -> float:
        return time.time() - calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))

    assert age(queries[path(MAINTENANCE)]["start"]) == pytest.approx(86_400, abs=60)
    log = queries["/v2/services/cloud-routers/PF-L3-CUST-1/bgp-logs"]
    assert log["cloud_circuit_id"] == "PF-L3-CON-1"
    assert age(log["time_from"]) == pytest.approx(600, abs=60)
    assert age(log["time_to"]) == pytest.approx(0, abs=60)
    assert account.values("cloud_router_connection_bgp_transitions_total", "to")["established"] == 0.0


def test_an_expired_session_is_renewed_once(api: FakeApi, create_account: CreateAccount) -> None:
    """HTTP 401 ends a session only if the resource was read with it before."""
    api.responses[path(API_KEYS)] = [Response(status_code=401)]
    account = create_account(polled=(API_KEYS,))
    account.poll()
    answered(account, [API_KEYS])
    assert account.poll_failures() == {("api_key", "unauthorized"): 1}
    assert account.session_manager.get().token.reveal() == "token-1"


def test_the_limit_of_samples(
    api: FakeApi, create_account: CreateAccount, caplog: pytest.LogCaptureFixture
) -> None:
    """A maintenance of more circuits than series are allowed is cut off, and a warning is logged."""
    ids = [f"PF-AP-{number}" for number in range(100)]
    row = {"uuid": "m", "type": "open", "action": "outage", "port_circuit_ids": ids}
    api.lists[path(MAINTENANCE)] = [row]
    account = create_account("limited", polled=(MAINTENANCE,), limit=50)
    account.poll()
    answered(account, [MAINTENANCE])
    assert len(account.values("maintenance_affects_port")) == 49
    assert caplog.messages.count("limit of series reached by polled resources") == 1


def test_unusable_values_are_counted(
    api: FakeApi, create_account: CreateAccount, caplog: pytest.LogCaptureFixture
) -> None:
    """An unusable value is counted under its resource, and logged without the value."""
    api.lists[path(API_KEYS)] = [{"name": "a", "expiration": "secret"}]
    account = create_account(polled=(API_KEYS,))
    with caplog.at_level(logging.WARNING):
        account.poll()
        answered(account, [API_KEYS])
    assert account.values("inventory_fields_rejected_total", "field")["api_key.expiration"] == 1.0
    assert "secret" not in caplog.text
