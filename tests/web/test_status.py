"""The content of the status page, by exporters whose API a test scripts."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret, SecretFile
from pf_exporter.config.settings import Config, StreamSettings, WebSettings
from pf_exporter.metrics.reload_status import config_reload_status
from pf_exporter.reason import Reason
from pf_exporter.schema.temporality import Temporality
from pf_exporter.service.exporter import Exporter
from pf_exporter.state.stats import AccountStats
from pf_exporter.state.store import Store
from pf_exporter.web.circuit_tables import PAGE_SIZE
from pf_exporter.web.moments import moment
from pf_exporter.web.page_query import PageQuery
from pf_exporter.web.sources import StatusSources
from pf_exporter.web.status import MAX_ACCOUNTS, status_context, take_snapshot
from pf_exporter.web.status_context import StatusContext
from tests.conftest import get, until
from tests.fakes import Answer, Fake, answer, dead_url, event
from tests.state.harness import Clock
from tests.web.page_reader import PageReader

WEB = WebSettings(listen_address=("127.0.0.1:0",))
QUICK = StreamSettings(backoff_min=0.02, backoff_max=0.1)


def metrics(circuit: str, bits: int = 1_000_000) -> bytes:
    data = {"port_circuit_id": circuit, "bytes_rx_bps": bits, "bytes_tx_bps": 2 * bits}
    return event("port|metrics", {**data, "timestamp": "2026-01-01T00:00:00Z"})


def page_of(exporter: Exporter, query: str = "") -> PageReader:
    code, _, body = get(f"http://{exporter.server.addresses[0]}/{query}")
    assert code == 200
    return PageReader(body.decode())


def test_a_streaming_account(fake: Fake) -> None:
    """The page shows the state, the circuits with their traffic, and the events."""
    fake.events = [metrics("PF-AP-LAX1-1234", 1_500_000)]
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        until(lambda: exporter.store.rows("port|metrics")["default"], "a port")
        page = page_of(exporter, "?open=events")
    for text in (
        "Streaming",
        "PF-AP-LAX1-1234",
        "1.50 Mbit/s",
        "3.00 Mbit/s",
        "port|metrics",
        "No data yet.",
    ):
        assert text in page.text
    assert ("href", "/metrics") in page.attributes


def test_an_account_with_a_wrong_password(fake: Fake) -> None:
    """The page shows the logged error, what to do and when it is tried again, failing accounts first."""
    with Fake() as broken:
        broken.script["login"] = iter([answer(401, {"message": "no"})] * 9)
        accounts = (fake.account(name="working"), broken.account(name="broken"))
        with Exporter(Config(accounts=accounts, web=WEB, stream=QUICK)) as exporter:
            first, second = (pipeline.stats for pipeline in exporter.pipelines)
            until(lambda: first.up and second.retry_at, "a stream and an error")
            text = page_of(exporter).text
    assert "Not streaming: broken" in text
    assert "Accounts 1 waiting to retry 1 streaming" in text
    assert re.search(r'Stream: login: [0-9.:]+: HTTP 401 \("no"\)', text)
    assert Reason.UNAUTHORIZED.remedy.replace("`", "") in text
    assert "Next attempt in" in text
    assert "User and password: refused" in text
    assert text.index("Waiting to retry broken") < text.index("Streaming working")


def test_a_key_in_a_file(fake: Fake, tmp_path: Path) -> None:
    """The page names the file of a key that cannot be read, and the API that it is for."""
    account = fake.account(token=SecretFile(str(tmp_path / "key"), "token_file"), login=None, password=None)
    with Exporter(Config(accounts=(account,), web=WEB, stream=QUICK)) as exporter:
        until(lambda: exporter.pipelines[0].stats.retry_at, "an error")
        text = page_of(exporter).text
    assert f"API {fake.url}" in text
    assert f"API key: unreadable from {tmp_path / 'key'}" in text


def test_a_repeated_error_is_one_entry(fake: Fake) -> None:
    """The same error is shown once, with its count and its first and last time."""
    fake.script["subscribe"] = iter([answer(403, {"message": "no"})] * 99)
    account = fake.account(token=Secret("key"), login=None, password=None)
    exporter = Exporter(Config(accounts=(account,), web=WEB, stream=QUICK))
    stats = exporter.pipelines[0].stats
    # Before the start: the refusal has to be the last error.
    for _ in range(3):
        stats.history.errors.add(Reason.BROKEN, "stream: connection reset")
    with exporter:
        until(lambda: stats.retry_at, "a refusal")
        page = page_of(exporter)
    assert page.text.count("stream: connection reset") == 1
    assert re.search(r"broken 3 \d+ s ago", page.text)
    assert "API key: accepted" in page.text


def test_resources_that_cannot_be_read(fake: Fake) -> None:
    """Polled resources that are refused are named among the facts of the account."""
    fake.script["/v2/api-keys"] = [Answer(403)]
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        inventory = exporter.pipelines[0].inventory
        polled = inventory.stats.last_success
        until(lambda: inventory.failing() and polled.keys() >= {"maintenance", "pop"}, "the answers")
        text = page_of(exporter).text
    assert "Other resources 2 of 3 polled not read: api_key" in text


def test_resources_that_have_not_been_polled() -> None:
    """While the API cannot be reached, no polled resource is shown as polled."""
    account = Account(api_url=dead_url(), token=Secret("key"))
    with Exporter(Config(accounts=(account,), web=WEB, stream=QUICK)) as exporter:
        text = page_of(exporter).text
    assert "Other resources not read yet" in text


def test_an_inventory_that_cannot_be_read(fake: Fake) -> None:
    """A failing inventory is a problem of a streaming account, with its error and the next attempt."""
    fake.script["/v2/ports"] = iter([answer(500, {})] * 99)
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        pipeline = exporter.pipelines[0]
        until(lambda: pipeline.stats.up and pipeline.inventory.retry_at, "an error")
        text = page_of(exporter).text
    assert re.search("Inventory: list of ports: [0-9.:]+: HTTP 500", text)
    assert "Next attempt in" in text
    assert "Inventory not complete yet" in text


def test_a_silent_stream(fake: Fake) -> None:
    """A stream that is open and sends nothing is not called streaming."""
    settings = StreamSettings(idle_timeout=60.0)
    with Exporter(Config(accounts=(fake.account(),), web=WEB, stream=settings)) as exporter:
        stats = exporter.pipelines[0].stats
        until(lambda: stats.up, "a stream")
        stats.clock = lambda: time.monotonic() + 61
        text = page_of(exporter).text
    assert "Silent default" in text
    assert Reason.IDLE.summary in text


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
        text = page_of(exporter, "?open=configuration").text
    assert "canary" not in text
    assert "accounts.default.password <secret>" in text
    assert "stream.idle_timeout 2m" in text


def test_pages_and_search(fake: Fake) -> None:
    """Of many circuits a page lists some, says how many there are, and has links to the others."""
    fake.events = [metrics(f"PORT-{number}", 1000 - number) for number in range(200)]
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        until(lambda: len(exporter.store.rows("port|metrics")["default"]) == 200, "all ports")
        first, last = page_of(exporter), page_of(exporter, "?port_page=8")
        beyond = page_of(exporter, "?port_page=99")
        found, none = page_of(exporter, "?port=port-19"), page_of(exporter, "?port=lax")
    assert f"1 to {PAGE_SIZE} of 200." in first.text
    assert ("href", "/?port_page=2#port") in first.attributes
    assert "PORT-0 " in first.text
    assert "PORT-199" not in first.text
    assert "176 to 200 of 200." in last.text
    assert "PORT-199" in last.text
    assert "176 to 200 of 200." in beyond.text
    assert "1 to 11 of 11 found, 200 in total." in found.text
    assert ("href", "/#port") in found.attributes  # Clears the search.
    assert "None of 200 matches." in none.text


def test_searches_leave_time_to_the_streams(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a page that took long, as many seconds pass until the next one is rendered."""
    clock = Clock()
    rests: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        rests.append(seconds)
        await real(0)

    def render(context: StatusContext) -> str:
        clock.now += 5.0
        return context.title

    monkeypatch.setattr("pf_exporter.web.status_cache.asyncio.sleep", sleep)
    monkeypatch.setattr("pf_exporter.web.status_cache.render_page", render)
    monkeypatch.setattr("pf_exporter.web.status_cache.time", SimpleNamespace(monotonic=clock))
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        for search in ("a", "b"):
            get(f"http://{exporter.server.addresses[0]}/?port={search}")
    assert max(rests) == 5.0


def test_configuration_is_collapsed(fake: Fake) -> None:
    """The configuration is expanded on request, and printed as one would enter it."""
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        closed, opened = page_of(exporter), page_of(exporter, "?toggle=configuration")
    assert "stream.idle_timeout" not in closed.text
    assert ("aria-expanded", "true") not in closed.attributes
    assert "stream.idle_timeout 2m" in opened.text
    assert {("aria-expanded", "true"), ("name", "open"), ("value", "configuration")} <= opened.attributes


def test_only_a_paused_page_has_text_fields(fake: Fake) -> None:
    """A page that is refreshed has no text field whose content a refresh would lose."""
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        paused = page_of(exporter, "?vc=lax&port=das")
        refreshed = page_of(exporter, "?refresh=30&vc=lax")
        typing = page_of(exporter, "?refresh=30&vc=lax&typing=vc")
    assert ("http-equiv", "refresh") not in paused.attributes | typing.attributes
    assert ("content", "30") in refreshed.attributes
    assert ("type", "search") not in refreshed.attributes
    assert {("value", "lax"), ("value", "das"), ("type", "search")} <= paused.attributes
    assert {("value", "lax"), ("autofocus", ""), ("type", "search")} <= typing.attributes
    assert ("autofocus", "") not in paused.attributes


def test_many_accounts() -> None:
    """Of many accounts some are shown in full and the others by name."""
    accounts = tuple(Account(name=f"a{number}", token=Secret("x")) for number in range(MAX_ACCOUNTS + 5))
    context = context_of(Config(accounts=accounts))
    assert len(context.accounts) == MAX_ACCOUNTS
    assert [account.term for account in context.more_accounts] == [f"a{MAX_ACCOUNTS + n}" for n in range(5)]


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


def test_units_of_rates(fake: Fake) -> None:
    """The page has the unit of the rates of each event with its evidence, and which setting to change."""
    fake.events = [
        event("port|metrics", {"port_circuit_id": port, "timestamp": stamp, **traffic})
        for number in range(60)
        for stamp in [f"2026-01-01T00:{number // 12:02}:{number % 12 * 5:02}Z"]
        for port in ("PF-AP-1", "PF-AP-2", "PF-AP-3")
        for traffic in [{"bytes_rx_total": 10**6 * number, "bytes_rx_bps": 2 * 10**5}]
    ]
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        rates = exporter.pipelines[0].stats.rate_units
        until(lambda: rates.confirmed() == {"port|metrics": 0}, "a result")
        text = page_of(exporter).text
    assert "Units of rates" in text
    assert "comparisons on 3 circuits: the rates add up to 1 times the growth of the totals" in text
    assert "set units.rates to bytes; it is bits now" in text


def context_of(config: Config) -> StatusContext:
    """The context for an exporter that has no data."""
    stats = [AccountStats(account, idle_timeout=1.0) for account in config.accounts]
    reloads = {"configuration": config_reload_status()}
    sources = StatusSources(config, Store(ttl=1.0, limit=1), stats, {}, reloads)
    return status_context(take_snapshot(sources), PageQuery())


@pytest.mark.parametrize("accounts", [0, 1])
def test_before_anything_has_happened(accounts: int) -> None:
    """The context can be built for an exporter that has no data, and for one without accounts."""
    context = context_of(Config(accounts=(Account(name="one", token=Secret("x")),)[:accounts]))
    assert context.title == ("Not streaming: one" if accounts else "Streaming")
    facts = {fact.term: fact.value for account in context.accounts for fact in account.facts}
    assert facts.get("Last event", "none yet") == "none yet"
    assert facts.get("Credential", "API key: not yet verified") == "API key: not yet verified"
    assert {context.ports_view.note, context.vcs_view.note} == {"No data yet."}
    assert not context.maintenance


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
