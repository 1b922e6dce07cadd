"""Polls: what they read, when they happen, and what they do with the session."""

from __future__ import annotations

import logging
import threading
import time

import pytest
from starlette.responses import Response

from pf_exporter.packetfabric.backoff import Backoff
from pf_exporter.schema.resource import Resource
from pf_exporter.schema.resources.ports import PORTS
from pf_exporter.schema.resources.virtual_circuits import VIRTUAL_CIRCUITS
from pf_exporter.stream.subscription import Subscription
from tests.conftest import until
from tests.inventory.fixtures import CreateAccount
from tests.inventory.harness import FakeApi, PolledAccount, port
from tests.state.harness import Clock

# What a poll does


@pytest.mark.no_cover
@pytest.mark.parametrize("number", [0, 1, 499, 500, 501, 5000])
def test_every_page_is_read(api: FakeApi, account: PolledAccount, number: int) -> None:
    """All ports are read, however many there are and wherever a page ends."""
    api.lists[PORTS.path] = [port(index) for index in range(number)]
    account.poll()
    page = account.page()
    assert len(page.get("packetfabric_port_speed_bytes_per_second", ())) == number
    assert sorted(page["packetfabric_inventory_circuits"].values()) == [0, number]
    assert account.poller.circuits() == {f"PF-AP-LAX1-{index}" for index in range(number)}


def test_every_page_has_the_same_order(api: FakeApi, account: PolledAccount) -> None:
    """Each request for a page asks for the order by ID, because without one pages may overlap."""
    api.lists[PORTS.path] = [port(index) for index in range(600)]
    account.poll()
    for resource, requests in ((PORTS, 3), (VIRTUAL_CIRCUITS, 1)):
        orders = [
            (query["sort_column"], query["sort_order"])
            for path, query in zip(api.requests, api.queries, strict=True)
            if path == resource.path
        ]
        assert orders == [(resource.key, "asc")] * requests


def test_the_last_of_two_objects_with_one_id_wins(api: FakeApi, account: PolledAccount) -> None:
    """A port that is listed twice, even if once with -PF, is one port, as it was listed last."""
    api.lists[PORTS.path] = [
        port(1),
        port(2),
        port(1, mtu=1),
        port(2, mtu=2, port_circuit_id="PF-AP-LAX1-2-PF"),
    ]
    account.poll()
    assert account.values("port_mtu_bytes") == {"PF-AP-LAX1-1": 1.0, "PF-AP-LAX1-2-PF": 2.0}


def virtual_circuit(number: int) -> dict[str, object]:
    return {"vc_circuit_id": f"PF-BC-{number}", "description": f"circuit {number}"}


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (Response("upstream error", 500), "unavailable"),
        (Response("<p>not JSON", 200), "rejected"),
        (Response("[]", 200), "incomplete"),
        (Response(status_code=401), "unauthorized"),
        (Response(status_code=403), "forbidden"),
    ],
)
@pytest.mark.parametrize("failing", [PORTS, VIRTUAL_CIRCUITS])
def test_a_list_that_fails_does_not_delay_the_other(
    api: FakeApi, create_account: CreateAccount, failing: Resource, failure: Response, reason: str
) -> None:
    """If the second page of one list fails, it stays as it was, which is counted; the other is updated."""
    account = create_account(login_schedule=Backoff(0.0, 0.0))
    items = {PORTS.path: port, VIRTUAL_CIRCUITS.path: virtual_circuit}
    for path, item in items.items():
        api.lists[path] = [item(index) for index in range(600)]
    account.poll()
    retries = [account.poller.retry_at is not None]
    first = account.poller.snapshot
    for path, item in items.items():
        api.lists[path] = [item(index) for index in range(601)]
    api.responses[failing.path] = [lambda: None, failure]
    account.poll()
    other = VIRTUAL_CIRCUITS if failing is PORTS else PORTS
    snapshot = account.poller.snapshot
    assert [len(snapshot.of(failing)), len(snapshot.of(other))] == [600, 601]
    assert account.failures() == {reason: 1}
    assert account.poll_failures() == {(failing.name, reason): 1}
    retries.append(account.poller.retry_at is not None)
    assert account.poller.lists.problem is None
    times = account.values("inventory_last_success_timestamp_seconds", "account")
    assert times == {"default": first.read_at[failing.name]}
    assert snapshot.read_at[other.name] != first.read_at[other.name]
    account.poll()
    assert len(account.poller.snapshot.of(failing)) == 601
    retries.append(account.poller.retry_at is not None)
    assert retries == [False, True, False]


def test_only_the_list_that_failed_is_retried(api: FakeApi, create_account: CreateAccount) -> None:
    """Repeated attempts request the list that fails, and not the one that was read."""
    clock = Clock(0.0)
    account = create_account(min_interval=60.0, clock=clock)
    api.responses[PORTS.path] = [Response(status_code=500) for _ in range(2)]
    account.poll()
    read = api.count(VIRTUAL_CIRCUITS.path)
    for _ in range(2):
        clock.now += 20.0
        account.poll()
    assert account.poller.snapshot.at is not None
    assert account.poll_failures() == {("port", "unavailable"): 2}
    assert api.count(VIRTUAL_CIRCUITS.path) == read


def test_a_rate_limit_applies_to_all_lists(api: FakeApi, account: PolledAccount) -> None:
    """After HTTP 429 for one list the other is not requested either; it counts as one failure."""
    api.responses[PORTS.path] = [Response(status_code=429, headers={"Retry-After": "3000"})]
    account.poll()
    assert api.count(VIRTUAL_CIRCUITS.path) == 0
    assert account.failures() == {"rate_limited": 1}
    assert account.poll_failures() == {("port", "rate_limited"): 1}
    assert account.poller.lists.problem == "rate_limited"


def test_failed_polls_remove_nothing(api: FakeApi, account: PolledAccount) -> None:
    """A port is removed by two successful polls without it, even with a failed poll in between."""
    api.lists[PORTS.path] = [port(1), port(2)]
    account.poll()
    api.lists[PORTS.path] = [port(1)]
    account.poll()
    assert set(account.values("port_info")) == {"PF-AP-LAX1-1", "PF-AP-LAX1-2"}
    api.responses[PORTS.path] = [Response(status_code=500)]
    account.poll()
    assert set(account.values("port_info")) == {"PF-AP-LAX1-1", "PF-AP-LAX1-2"}
    account.poll()
    assert set(account.values("port_info")) == {"PF-AP-LAX1-1"}
    api.lists[PORTS.path] = [port(1), port(2)]
    account.poll()
    api.lists[PORTS.path] = [port(1)]
    account.poll()
    assert set(account.values("port_info")) == {"PF-AP-LAX1-1", "PF-AP-LAX1-2"}


@pytest.mark.parametrize("fault", ["empty page", "offset ignored", "page too long"])
def test_a_list_that_is_not_proven_whole_changes_nothing(
    api: FakeApi, account: PolledAccount, fault: str
) -> None:
    """However often a list comes back incomplete, the last complete one stays, and the reason is counted."""
    ports = [port(index) for index in range(2000)]
    api.lists[PORTS.path] = ports
    account.poll()
    before = account.poller.snapshot.of(PORTS)
    fetched = {
        "empty page": lambda offset, size: ports[offset : offset + size] if offset < 500 else [],
        "offset ignored": lambda _, size: ports[:size],
        "page too long": lambda offset, size: [*ports[offset : offset + size], {}],
    }[fault]
    api.pages[PORTS.path] = fetched
    for _ in range(4):
        account.poll()
    assert account.poller.snapshot.of(PORTS) == before
    assert account.failures() == {"incomplete": 4}
    del api.pages[PORTS.path]
    account.poll()
    assert len(account.values("port_info")) == 2000


def test_a_fall_is_visible_until_it_is_believed(
    api: FakeApi, account: PolledAccount, caplog: pytest.LogCaptureFixture
) -> None:
    """If most ports disappear from a complete list, they stay for two polls, which metric and log show."""
    api.lists[PORTS.path] = [port(index) for index in range(100)]
    account.poll()
    api.lists[PORTS.path] = api.lists[PORTS.path][:30]
    seen = []
    for _ in range(4):
        account.poll()
        missing = account.values("inventory_circuits_missing", "type")
        seen.append((len(account.values("port_info")), missing["port"], missing["vc"]))
    assert seen == [(100, 70.0, 0.0), (100, 70.0, 0.0), (30, 0.0, 0.0), (30, 0.0, 0.0)]
    warnings = [record for record in caplog.records if record.message.startswith("most circuits are missing")]
    assert [getattr(record, "fields", {})["missing"] for record in warnings] == [70, 70]
    assert account.failures() == {}


def test_the_time_of_the_last_success(api: FakeApi, account: PolledAccount) -> None:
    """The time of the last success is absent before the first one, and stays while polls fail."""
    name = "inventory_last_success_timestamp_seconds"
    assert account.values(name, "account") == {}
    account.poll()
    at = account.values(name, "account")["default"]
    assert time.time() - 60 < at <= time.time()
    api.responses[PORTS.path] = [Response(status_code=500)]
    account.poll()
    assert account.values(name, "account") == {"default": at}


def test_an_unusable_value_is_logged_once(
    api: FakeApi, create_account: CreateAccount, caplog: pytest.LogCaptureFixture
) -> None:
    """A speed in an unknown format is counted at each poll and logged once; the port has no speed."""
    api.lists[PORTS.path] = [port(1, speed="warp 9"), port(2)]
    account = create_account("warp")
    with caplog.at_level(logging.WARNING):
        account.poll()
        account.poll()
    assert account.values("port_speed_bytes_per_second") == {"PF-AP-LAX1-2": 1.25e9}
    assert account.info("PF-AP-LAX1-1")["speed"] == "warp 9"
    assert account.values("inventory_fields_rejected_total", "field")["speed"] == 2.0
    logged = [getattr(record, "fields", {}) for record in caplog.records if "unusable" in record.message]
    assert [(fields["circuit"], fields["field"], fields["value"]) for fields in logged] == [
        ("PF-AP-LAX1-1", "speed", "warp 9")
    ]


def test_an_object_without_an_id_is_rejected(api: FakeApi, account: PolledAccount) -> None:
    """Objects without a usable ID are counted, and so are items that are no objects."""
    unusable = [None, "", 5, "x" * 129, "PF AP\n1", "PF-ÄP-1", "\ud800"]
    api.lists[PORTS.path] = [
        port(1),
        *(port(2, port_circuit_id=circuit_id) for circuit_id in unusable),
        "not an object",
        None,
    ]
    account.poll()
    assert set(account.values("port_info")) == {"PF-AP-LAX1-1"}
    assert account.poller.rejected["port_circuit_id"] == len(unusable) + 2


def test_the_limit_of_series(
    api: FakeApi, create_account: CreateAccount, caplog: pytest.LogCaptureFixture
) -> None:
    """Circuits above the limit are left out, counted and logged; those already shown stay."""
    api.lists[PORTS.path] = [port(1), port(2)]
    account = create_account("small", limit=11)
    account.poll()
    api.lists[PORTS.path] = [port(3), port(2), port(1)]
    with caplog.at_level(logging.WARNING):
        account.poll()
        until(lambda: "limit of series reached by the inventory" in caplog.messages, "the warning")
    assert set(account.values("port_info")) == {"PF-AP-LAX1-1", "PF-AP-LAX1-2"}
    assert account.values("inventory_circuits_left_out", "account") == {"small": 1.0}
    api.lists[PORTS.path] = [port(3), port(2)]
    account.poll()
    account.poll()
    assert set(account.values("port_info")) == {"PF-AP-LAX1-3", "PF-AP-LAX1-2"}


def test_descriptions(api: FakeApi, account: PolledAccount) -> None:
    """The description of a port or virtual circuit is found by its ID with and without -PF."""
    api.lists[PORTS.path] = [port(1)]
    api.lists[VIRTUAL_CIRCUITS.path] = [{"vc_circuit_id": "PF-BC-1", "description": "a circuit"}]
    assert account.poller.description("PF-AP-LAX1-1") == ""
    account.poll()
    descriptions = [account.poller.description(id) for id in ("PF-AP-LAX1-1-PF", "PF-BC-1", "PF-AP-LAX1-2")]
    assert descriptions == ["port 1", "a circuit", ""]


# The thread


def test_an_interval_of_zero_turns_polling_off(api: FakeApi, create_account: CreateAccount) -> None:
    """With an interval of 0 nothing is requested, even on a refresh."""
    account = create_account(interval=0.0)
    account.start()
    account.poller.refresh()
    assert account.poller.join(0)
    assert api.requests == []
    assert account.values("inventory_circuits", "type") == {}


def test_polls_repeat(api: FakeApi, create_account: CreateAccount) -> None:
    """Polls repeat at the interval without a refresh."""
    account = create_account(interval=0.05, min_interval=1.0)
    account.start()
    until(lambda: api.count(VIRTUAL_CIRCUITS.path) >= 4, "four polls")


def test_refreshes_respect_the_minimum_interval(api: FakeApi, create_account: CreateAccount) -> None:
    """However often a refresh is requested, polls start at least the minimum interval apart."""
    account = create_account(min_interval=60.0, clock=lambda: 0.0)
    account.poll()
    until(lambda: account.pause.waits, "the wait after the poll")
    account.poller.refresh()
    until(lambda: len(account.pause.waits) == 2, "the wait for the refresh")
    assert account.pause.waits == [(3600.0, False), (60.0, True)]


def test_a_slow_poll_shortens_the_wait(api: FakeApi, create_account: CreateAccount) -> None:
    """The time that a poll takes is part of the interval; polls take at most half of the time."""
    now = [0.0]
    account = create_account(min_interval=60.0, clock=lambda: now[0])
    waits: list[tuple[float, bool]] = []
    for start, duration in ((0.0, 20.0), (100.0, 3000.0)):
        now[0] = start
        api.responses[PORTS.path] = [lambda end=start + duration: now.__setitem__(0, end)]  # type: ignore[misc]
        account.poll()
        until(lambda: len(account.pause.waits) > len(waits), "the wait after the poll")
        waits.append(account.pause.waits[-1])
    assert waits == [(3580.0, False), (3000.0, False)]


def test_a_new_subscription_refreshes_the_inventory(account: PolledAccount) -> None:
    """A new subscription triggers a poll; reopening the stream of an existing subscription does not."""
    subscriptions: list[str] = []
    subscription = Subscription(
        account.account, account.client, account.session_manager, on_subscribe=subscriptions.append
    )
    for _ in range(2):
        subscription.open().response.close()
        assert subscriptions == ["subscription"]


def test_stop_interrupts_a_wait(api: FakeApi, create_account: CreateAccount) -> None:
    """Neither the interval nor a Retry-After delays the end."""
    api.responses[PORTS.path] = [Response(status_code=503, headers={"Retry-After": "3000"})]
    waiting, delayed = create_account("waiting", min_interval=60.0), create_account("delayed")
    delayed.poll()
    assert delayed.failures() == {"unavailable": 1}
    waiting.poll()
    for account in (waiting, delayed):
        until(lambda account=account: account.pause.waits, "the wait")  # type: ignore[misc]
        account.close()


def test_stop_interrupts_a_request(api: FakeApi, account: PolledAccount) -> None:
    """A server that does not respond delays nothing, and the abort is not counted as a failure."""
    requested, end = threading.Event(), threading.Event()

    def hang() -> None:
        requested.set()
        assert end.wait(60)

    api.responses[PORTS.path] = [hang]
    account.start()
    assert requested.wait(60)
    account.close()
    assert account.failures() == {}
    end.set()


def test_retry_after_is_respected(api: FakeApi, create_account: CreateAccount) -> None:
    """A Retry-After delays the next poll, even if a refresh is requested."""
    account = create_account(clock=Clock(0.0))
    api.responses[PORTS.path] = [Response(status_code=429, headers={"Retry-After": "3000"})]
    account.poll()
    assert account.failures() == {"rate_limited": 1}
    until(lambda: account.pause.waits, "the wait after the failure")
    account.poller.refresh()
    until(lambda: len(account.pause.waits) == 2, "the wait for the refresh")
    assert account.pause.waits == [(3000.0, False), (3000.0, True)]
    assert api.count(PORTS.path) == 1


def test_failures_are_retried(api: FakeApi, create_account: CreateAccount) -> None:
    """Failed polls are repeated without a refresh until one succeeds."""
    account = create_account(interval=0.02)
    api.responses[PORTS.path] = [Response(status_code=500)] * 3
    account.start()
    until(lambda: account.poller.snapshot.at, "a success after three failures")
    assert account.failures() == {"unavailable": 3}


def test_retries_back_off(
    api: FakeApi, create_account: CreateAccount, caplog: pytest.LogCaptureFixture
) -> None:
    """The delay doubles with each failure in a row, and a success resets it."""
    account = create_account(random=1.0)
    api.responses[PORTS.path] = [Response(status_code=500) for _ in range(3)]
    for _ in range(4):
        account.poll()
    assert account.poller.snapshot.at
    api.responses[PORTS.path] = [Response(status_code=500)]
    account.poll()
    delays = [
        record.fields["retry_in"]  # type: ignore[attr-defined]
        for record in caplog.records
        if record.message == "inventory not refreshed"
    ]
    assert delays == [10.0, 20.0, 40.0, 10.0]


def test_an_unexpected_exception_is_reported(
    account: PolledAccount, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception that nothing handles reaches the caller of the poller and the log."""

    def bug(*_: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("pf_exporter.inventory.snapshot.Snapshot.updated", bug)
    account.poll()
    assert [type(error) for error in account.thread_errors] == [RuntimeError]
    assert "thread died of an unexpected exception" in caplog.messages


# The session


def test_an_expired_session_is_renewed(api: FakeApi, create_account: CreateAccount) -> None:
    """If the API rejects a session that it accepted before, one login renews it."""
    account = create_account(login_schedule=Backoff(0.0, 0.0))
    account.poll()
    session = account.session_manager.get()
    api.responses[VIRTUAL_CIRCUITS.path] = [Response(status_code=401)]
    account.poll()
    assert account.failures() == {"unauthorized": 1}
    account.poll()
    assert api.logins == 2
    assert account.session_manager.get() is not session
    assert account.failures() == {"unauthorized": 1}


def test_a_session_that_was_never_accepted_is_kept(api: FakeApi, create_account: CreateAccount) -> None:
    """A user who may stream but not list, and gets 401 for it, is not logged in again and again."""
    account = create_account(login_schedule=Backoff(0.0, 0.0))
    session = account.session_manager.get()
    api.responses[PORTS.path] = [Response(status_code=401) for _ in range(5)]
    for _ in range(5):
        account.poll()
    assert account.failures() == {"unauthorized": 5}
    assert account.session_manager.get() is session
    assert api.logins == 1


def test_a_missing_permission_keeps_the_session(
    api: FakeApi, account: PolledAccount, caplog: pytest.LogCaptureFixture
) -> None:
    """HTTP 403 leaves the session to the stream and is logged as an error."""
    account.poll()
    session = account.session_manager.get()
    api.responses[PORTS.path] = [Response(status_code=403)]
    account.poll()
    assert account.session_manager.get() is session
    assert account.failures() == {"forbidden": 1}
    assert [record.levelname for record in caplog.records if record.message == "inventory not refreshed"] == [
        "ERROR"
    ]


def test_refreshes_do_not_repeat_a_failed_login(api: FakeApi, create_account: CreateAccount) -> None:
    """A failed login is not repeated before its time, however often a refresh is requested."""
    account = create_account(clock=Clock(0.0))
    api.responses["/v2/auth/login"] = [Response(status_code=401)]
    account.poll()
    until(lambda: account.pause.waits, "the wait after the failure")
    account.poller.refresh()
    until(lambda: len(account.pause.waits) == 2, "the wait for the refresh")
    seconds, is_requested = account.pause.waits[1]
    assert is_requested
    assert seconds > 20
    assert api.count("/v2/auth/login") == 1
