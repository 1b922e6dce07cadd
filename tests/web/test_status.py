"""The content of the status page, by exporters whose API a test scripts."""

from __future__ import annotations

import pytest

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import Config, StreamSettings, WebSettings
from pf_exporter.metrics.reload_status import config_reload_status
from pf_exporter.reason import Reason
from pf_exporter.schema.temporality import Temporality
from pf_exporter.service.exporter import Exporter
from pf_exporter.state.stats import AccountStats
from pf_exporter.state.store import Store
from pf_exporter.web.status import MAX_CIRCUITS, StatusSources, moment, status_context
from tests.conftest import get, until
from tests.fakes import Fake, answer, event
from tests.web.page_reader import PageReader

WEB = WebSettings(listen_address=("127.0.0.1:0",))
QUICK = StreamSettings(backoff_min=0.02, backoff_max=0.1)


def metrics(circuit: str, bits: int = 1_000_000) -> bytes:
    data = {"port_circuit_id": circuit, "bytes_rx_bps": bits, "bytes_tx_bps": 2 * bits}
    return event("port|metrics", {**data, "timestamp": "2026-01-01T00:00:00Z"})


def page_of(exporter: Exporter) -> PageReader:
    code, _, body = get(f"http://{exporter.server.addresses[0]}/")
    assert code == 200
    return PageReader(body.decode())


def test_a_streaming_account(fake: Fake) -> None:
    """The page shows the state, the circuits with their traffic, and the events."""
    fake.events = [metrics("PF-AP-LAX1-1234", 1_500_000)]
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        until(lambda: exporter.store.rows("port|metrics")["default"], "a port")
        page = page_of(exporter)
    for text in ("Streaming", "PF-AP-LAX1-1234", "1.5 Mbit/s", "3 Mbit/s", "port|metrics", "No data yet."):
        assert text in page.text
    assert ("href", "/metrics") in page.attributes
    assert ("http-equiv", "refresh") in page.attributes


def test_an_account_with_a_wrong_password(fake: Fake) -> None:
    """The page explains the error and says what to do, and shows the failing account first."""
    with Fake() as broken:
        broken.script["login"] = iter([answer(401, {"message": "no"})] * 9)
        accounts = (fake.account(name="working"), broken.account(name="broken"))
        with Exporter(Config(accounts=accounts, web=WEB, stream=QUICK)) as exporter:
            first, second = (pipeline.stats for pipeline in exporter.pipelines)
            until(lambda: first.up and second.history.errors.records(), "a stream and an error")
            text = page_of(exporter).text
    assert "Not streaming: broken" in text
    assert "Waiting to retry broken" in text
    assert "unauthorized: login: HTTP 401" in text
    assert Reason.UNAUTHORIZED.remedy in text
    assert text.index("Waiting to retry") < text.index("Streaming working")


def test_hostile_ids_and_event_names(fake: Fake) -> None:
    """Circuit ids and event names from the API are displayed literally."""
    hostile = "<script>alert(1)</script>"
    fake.events = [metrics(hostile), event(hostile, {"a": 1})]
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        until(lambda: exporter.store.rows("port|metrics")["default"], "a port")
        until(lambda: exporter.pipelines[0].stats.unknown_fields.snapshot(), "an unknown event")
        page = page_of(exporter)
    assert "script" not in page.elements
    assert page.text.count(hostile) == 2


def test_a_failed_reload(fake: Fake) -> None:
    """The page lists the problems of a configuration that could not be reloaded."""
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        exporter.reload_status.failed(["pf.yml: <b>: unknown key"])
        page = page_of(exporter)
    assert "The new configuration cannot be used; the previous one stays in force:" in page.text
    assert "pf.yml: <b>: unknown key" in page.text


def test_secrets_are_masked(fake: Fake) -> None:
    """The configuration in force is shown without its secrets."""
    account = fake.account(login=Secret("login-canary"), password=Secret("password-canary"))
    with Exporter(Config(accounts=(account,), web=WEB)) as exporter:
        text = page_of(exporter).text
    assert "canary" not in text
    assert "accounts.default.password <secret>" in text
    assert "stream.idle_timeout 2m" in text


def test_many_circuits(fake: Fake) -> None:
    """Of many circuits the page lists the busiest, and says how many there are."""
    fake.events = [metrics(f"PORT-{number}", number) for number in range(200)]
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        until(lambda: len(exporter.store.rows("port|metrics")["default"]) == 200, "all ports")
        text = page_of(exporter).text
    assert f"The busiest {MAX_CIRCUITS} of 200." in text
    assert "PORT-199" in text
    assert "PORT-10 " not in text


def test_unknown_events_and_fields(fake: Fake) -> None:
    """Undocumented events and fields are listed for a report, without their values."""
    data = {"port_circuit_id": "PF-AP-1", "timestamp": "2026-01-01T00:00:00Z", "who": "canary"}
    fake.events = [event("port|weather", {"rain": 3}), event("port|errors", data)]
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        until(lambda: len(exporter.pipelines[0].stats.unknown_fields.snapshot()) == 2, "both")
        text = page_of(exporter).text
    assert "event port|weather: an object with the keys rain; seen 1 time" in text
    assert "field who of port|errors: a string of length 6; seen 1 time" in text
    assert "canary" not in text


def test_temporality(fake: Fake) -> None:
    """The page says whether counts look like deltas, and which setting to change."""
    fake.events = [
        event("port|errors", {"port_circuit_id": "PF-AP-1", "timestamp": stamp, "rx_runt": count})
        for count, stamp in ((number % 2, f"2026-01-01T00:00:{number:02}Z") for number in range(50))
    ]
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        temporality = exporter.pipelines[0].stats.temporality
        until(lambda: temporality.result("port|errors").temporality is Temporality.DELTA, "a result")
        text = page_of(exporter).text
    assert "Cumulative or delta counts" in text
    assert "does not match: set it to delta" in text


@pytest.mark.parametrize("accounts", [0, 1])
def test_before_anything_has_happened(accounts: int) -> None:
    """The context can be built for an exporter that has no data, and for one without accounts."""
    config = Config(accounts=(Account(name="one", token=Secret("x")),)[:accounts])
    context = status_context(
        StatusSources(
            config,
            Store(ttl=1.0, limit=1),
            [AccountStats(account, idle_timeout=1.0) for account in config.accounts],
            {},
            {"configuration": config_reload_status()},
        )
    )
    assert context.title == ("Not streaming: one" if accounts else "Streaming")
    assert [account.last_event for account in context.accounts] == [None] * accounts
    assert {table.note for table in context.circuit_tables} == {"No data yet."}


@pytest.mark.parametrize(
    ("at", "text", "age"),
    [
        (1_600_000_000 - 90, "12:25:10 UTC", "90 s"),
        (1_600_000_000 - 86_400, "2020-09-12 12:26:40 UTC", "24 h"),
    ],
)
def test_moment(at: float, text: str, age: str) -> None:
    """A time within the last day is shown without its date; the machine-readable form is complete."""
    shown = moment(at, 1_600_000_000)
    assert (shown.text, shown.age) == (text, age)
    assert shown.iso.startswith("2020-09-1")
    assert shown.iso.endswith(f"T{text[-12:-4]}Z")
