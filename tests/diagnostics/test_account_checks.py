from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import Config
from pf_exporter.diagnostics.account_checks import AccountChecks
from pf_exporter.diagnostics.result import CheckResult, CheckStatus
from tests.fakes import Answer, Fake, answer, certificate, dead_url, event
from tests.links import Proxy

DATA = {"timestamp": "2021-09-22T20:34:30+00:00", "port_circuit_id": "PF-AP-1", "bytes_rx_total": 5}
BEFORE_LOGIN = ["secrets", "name", "connection", "clock"]
STREAMS = ["stream port", "stream vc", "stream customer"]


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as server:
        server.events.append(event("port|metrics", DATA))
        server.lists["/v2/ports"] = [{"port_circuit_id": "PF-AP-1"}]
        yield server


def checked(account: Account, *, listen: float = 0.0) -> list[CheckResult]:
    """All results, that of the logout last."""
    checks = AccountChecks(account, Config((account,)), within=1.0, listen=listen)
    try:
        results = list(checks.run())
    finally:
        logout = checks.close()
    return [*results, logout] if logout is not None else results


def user(fake: Fake) -> Account:
    return Account(name="a", api_url=fake.url, login=Secret("user"), password=Secret("password"))


def names(results: list[CheckResult]) -> list[str]:
    return [result.name for result in results]


def failed(results: list[CheckResult]) -> list[str]:
    return [result.name for result in results if result.status is CheckStatus.FAILED]


def test_all_checks_in_order(fake: Fake) -> None:
    """Every check runs once, and the session is logged out at the end."""
    results = checked(user(fake))
    middle = ["login", "inventory", *["poll"] * 3, *STREAMS, "subscription", "first byte", "events"]
    assert names(results) == [*BEFORE_LOGIN, *middle, "logout"]
    assert failed(results) == []
    assert {result.account for result in results} == {"a"}
    fake.wait_for(lambda: not fake.connections)
    assert fake.subscriptions == {}


def test_a_key_is_not_logged_out(fake: Fake) -> None:
    """With an API key there is neither login nor logout."""
    results = checked(Account(name="a", api_url=fake.url, token=Secret("key")))
    assert names(results)[-1] == "events"
    assert (fake.of("login"), fake.of("logout")) == ([], [])


def test_nothing_follows_a_failed_login(fake: Fake) -> None:
    """Checks that need a session are skipped, and there is no logout."""
    fake.script["login"] = [Answer(401)]
    results = checked(user(fake))
    assert names(results) == [*BEFORE_LOGIN, "login"]
    assert failed(results) == ["login"]


def test_a_rejected_key_ends_at_the_inventory(fake: Fake) -> None:
    """The first request that needs the key shows that it is rejected."""
    results = checked(Account(name="a", api_url=fake.url, token=Secret("wrong")))
    assert names(results) == [*BEFORE_LOGIN, "login", "inventory"]
    assert failed(results) == ["inventory"]


def test_the_inventory_may_fail(fake: Fake) -> None:
    """The streams need no inventory, so they are still checked."""
    fake.script["/v2/ports"] = [Answer(500)]
    results = checked(user(fake))
    assert failed(results) == ["inventory"]
    assert names(results)[-2:] == ["events", "logout"]


def test_every_stream_is_checked(fake: Fake) -> None:
    """One stream that is rejected does not hide the others, but nothing is subscribed to."""
    fake.script["subscribe"] = [Answer(403), answer(201, {"subscription_uuid": "1-2"}), Answer(403)]
    results = checked(user(fake))
    assert failed(results) == ["stream port", "stream customer"]
    assert names(results)[-2:] == ["stream customer", "logout"]


def test_one_stream_needs_no_second_subscription(fake: Fake) -> None:
    """The subscription of the only stream is used."""
    account = user(fake)
    results = checked(replace(account, streams=account.streams[:1]))
    assert failed(results) == []
    assert len(fake.of("subscribe")) == 1


def test_findings(fake: Fake) -> None:
    """With ``listen`` the temporality of each event is reported; unknown fields are reported always."""
    fake.events.append(event("port|metrics", {**DATA, "port_circuit_id": "PF-AP-2", "jitter": 1}))
    assert names(checked(user(fake), listen=1.0))[-5:] == ["counts", "counts", "units", "new", "logout"]
    assert names(checked(user(fake)))[-2:] == ["new", "logout"]


def test_proxy_is_a_check(fake: Fake, tmp_path: Path) -> None:
    """Behind a proxy its connection is checked instead of the API's name, and the API through it."""
    ca_file, context = certificate(tmp_path)
    with Fake(tls=context) as secure, Proxy(user="u:p") as proxy:
        secure.events, secure.lists = fake.events, fake.lists
        account = replace(user(secure), ca_file=ca_file, proxy_url=Secret(f"http://u:p@{proxy.address}"))
        results = checked(account)
        assert names(results)[:4] == ["secrets", "proxy", "connection", "clock"]
        assert failed(results) == []
        assert proxy.address in results[1].message
        results = checked(replace(account, proxy_url=Secret(f"http://u:x@{proxy.address}")))
        assert failed(results) == ["connection"]
        assert f"proxy {proxy.address}: HTTP 407" in results[-1].message


def test_proxy_that_is_down(fake: Fake) -> None:
    """The failed check names the proxy and the key to correct."""
    url = dead_url()
    account = replace(user(fake), api_url="https://127.0.0.1:9", proxy_url=Secret(url))
    results = checked(account)
    assert failed(results) == ["proxy"]
    assert url.removeprefix("http://") in results[-1].message
    assert "proxy_url" in results[-1].remedy
