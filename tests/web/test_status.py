"""The status page: what it says, and that what comes from outside stays text."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.error import HTTPError

import pytest

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import Config, StreamSettings, WebSettings
from pf_exporter.reason import Reason
from pf_exporter.schema.temporality import Temporality
from pf_exporter.service.exporter import Exporter
from pf_exporter.web import status
from pf_exporter.web.markup import Markup, escaped, tag
from tests.conftest import get, until
from tests.fakes import FIN, Answer, Fake, answer, event

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'onmouseover='alert(1)",
    "</title></style><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "&lt;b&gt;",
    "{0} %s ${x}",
)
WEB = WebSettings(listen_address=("127.0.0.1:0",))
QUICK = StreamSettings(backoff_min=0.02, backoff_max=0.1)


class Reader(HTMLParser):
    """What a browser makes of the page: its elements with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: set[tuple[str, str]] = set()
        self.text = ""
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}
        if tag not in ("meta", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def metrics(circuit: str, bits: int = 1_000_000) -> bytes:
    data = {"port_circuit_id": circuit, "bytes_rx_bps": bits, "bytes_tx_bps": 2 * bits}
    return event("port|metrics", {**data, "timestamp": "2026-01-01T00:00:00Z"})


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as one:
        yield one


def page_of(exporter: Exporter) -> str:
    code, headers, body = get(f"http://{exporter.server.addresses[0]}/")
    assert code == 200
    assert headers["content-type"] == "text/html; charset=utf-8"
    return body.decode()


def test_it_says_that_it_streams(fake: Fake) -> None:
    """The state in words, the circuits with their traffic, and the event's name are there; all tags close."""
    fake.events = [metrics("PF-AP-LAX1-1234", 1_500_000)]
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        until(lambda: exporter.store.rows("port|metrics")["default"], "a port")
        reader = Reader(page_of(exporter))
    assert reader.open == []
    for words in ("Streaming", "PF-AP-LAX1-1234", "1.5 Mbit/s", "3 Mbit/s", "port|metrics", "None has been"):
        assert words in reader.text
    assert ("href", "/metrics") in reader.attributes
    assert ("http-equiv", "refresh") in reader.attributes


def test_it_says_why_it_does_not(fake: Fake) -> None:
    """A wrong password is said in words, with its time, and trouble comes before what is well."""
    well = fake.account(name="well")
    with Fake() as broken:
        broken.script["login"] = iter([answer(401, {"message": "no"})] * 9)
        bad = broken.account(name="broken")
        with Exporter(Config(accounts=(well, bad), web=WEB, stream=QUICK)) as exporter:
            first, second = (pipeline.stats for pipeline in exporter.pipelines)
            until(lambda: first.up and second.history.errors(), "one that streams and one that does not")
            text = Reader(page_of(exporter)).text
    assert "Not streaming: broken" in text
    assert "Waiting to try again broken" in text
    assert f"unauthorized: {Reason.UNAUTHORIZED.summary} {Reason.UNAUTHORIZED.remedy}" in text
    assert text.index("Waiting to try again") < text.index("Streaming well")


def test_hostile_text_stays_text(fake: Fake) -> None:
    """Circuit ids and event names that are HTML are shown letter by letter, and make no element."""
    fake.events = [*map(metrics, HOSTILE), *(event(name, {"a": 1}) for name in HOSTILE)]
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        until(lambda: len(exporter.store.rows("port|metrics")["default"]) == len(HOSTILE), "all of them")
        page = page_of(exporter)
    reader = Reader(page)
    assert not {"script", "img", "b"} & set(reader.elements)
    assert not [name for name, _ in reader.attributes if name.startswith("on")]
    assert [text for text in HOSTILE if text not in reader.text] == []
    assert reader.open == []


def test_hostile_configuration_stays_text(fake: Fake) -> None:
    """What is wrong with a new configuration is shown as text too."""
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        exporter.reload_status.failed(HOSTILE)
        reader = Reader(page_of(exporter))
    assert "The new configuration cannot be used; what was in force stays in force:" in reader.text
    assert "script" not in reader.elements
    assert [text for text in HOSTILE if text not in reader.text] == []


def test_nothing_foreign(fake: Fake) -> None:
    """The policy allows the page its own style and nothing else, and the page needs nothing else."""
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        headers, body = get(f"http://{exporter.server.addresses[0]}/")[1:]
    page = body.decode()
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    style = re.search("<style>(.*)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == f"'sha256-{digest}'"
    assert policy["frame-ancestors"] == "'none'"
    reader = Reader(page)
    assert not {"script", "link", "img", "iframe", "form"} & set(reader.elements)
    assert not {"src", "style", "action"} & {name for name, _ in reader.attributes}
    assert all(value.startswith("/") for name, value in reader.attributes if name == "href")
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_secrets_are_masked(fake: Fake, tmp_path: object) -> None:
    """The configuration in force is shown without a secret in it."""
    account = fake.account(login=Secret("login-canary"), password=Secret("password-canary"))
    with Exporter(Config(accounts=(account,), web=WEB)) as exporter:
        text = Reader(page_of(exporter)).text
    assert "canary" not in text
    assert "accounts.default.password<secret>" in text
    assert "stream.idle_timeout120 seconds" in text


def test_many_circuits(fake: Fake) -> None:
    """Of many circuits the busiest are listed, and how many there are."""
    fake.events = [metrics(f"PORT-{number}", number) for number in range(200)]
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        until(lambda: len(exporter.store.rows("port|metrics")["default"]) == 200, "all ports")
        text = Reader(page_of(exporter)).text
    assert f"The busiest {status.SHOWN} of 200." in text
    assert "PORT-199" in text
    assert "PORT-10 " not in text


def test_ready_when_every_account_was_subscribed_once(fake: Fake) -> None:
    """/-/ready is 503 until each account has had a stream, and 200 ever after, events or not."""
    with Fake() as other:
        other.script["login"] = iter([Answer(500)] * 3)
        accounts = (fake.account(name="one"), other.account(name="two"))
        with Exporter(Config(accounts=accounts, web=WEB, stream=QUICK)) as exporter:
            site = f"http://{exporter.server.addresses[0]}"
            until(lambda: exporter.pipelines[0].stats.up, "the first stream")
            exporter_ready = lambda: status_of(site + "/-/ready") == 200  # noqa: E731
            assert not exporter_ready()
            until(exporter_ready, "both", seconds=30)
            other.script["open"] = iter([Answer(500)] * 100)
            for connection in other.streams:
                connection.hand(FIN)
            until(lambda: not exporter.pipelines[1].stats.up, "the loss of a stream")
            assert exporter_ready()


def status_of(url: str) -> int:
    try:
        return get(url)[0]
    except HTTPError as exc:
        exc.close()
        return exc.code


@pytest.mark.parametrize("text", HOSTILE)
def test_markup(text: str) -> None:
    """Whatever is put into an element or an attribute comes out again as text; only Markup is HTML."""
    reader = Reader(tag("p", text, Markup("<br/>"), title=text, hidden=None))
    assert reader.text == text
    assert ("title", text) in reader.attributes
    assert reader.elements == ["p", "br"]
    assert escaped(Markup(text)) == text


def test_a_view_of_nothing() -> None:
    """The page can be made before anything has happened."""
    account = Account(api_url="http://127.0.0.1:9", token=Secret("x"))
    exporter = Exporter(Config(accounts=(account,), web=WEB))
    try:
        page = status.page(exporter.status())
        page = status.page(dataclasses.replace(exporter.status(), histories=(), snapshots={}))
    finally:
        exporter.server.stop()
    assert Reader(page).open == []


def test_what_is_new(fake: Fake) -> None:
    """Events and fields that nobody documented are a report to copy, without a word of their text."""
    data = {"port_circuit_id": "PF-AP-1", "timestamp": "2026-01-01T00:00:00Z", "who": "canary"}
    fake.events = [event("port|weather", {"rain": 3}), event("port|errors", data)]
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        until(lambda: len(exporter.pipelines[0].stats.unknown_fields.snapshot()) == 2, "both")
        page = Reader(page_of(exporter)).text
    assert "event port|weather: an object with the keys rain; seen 1 time" in page
    assert "field who of port|errors: a string of length 6; seen 1 time" in page
    assert "canary" not in page


def test_totals_or_differences(fake: Fake) -> None:
    """What the counts seem to be is said with its reason, and whether the setting fits."""
    fake.events = [
        event("port|errors", {"port_circuit_id": "PF-AP-1", "timestamp": stamp, "rx_runt": count})
        for count, stamp in ((number % 2, f"2026-01-01T00:00:{number:02}Z") for number in range(50))
    ]
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        temporality = exporter.pipelines[0].stats.temporality
        until(lambda: temporality.result("port|errors").temporality is Temporality.DELTA, "a result")
        page = Reader(page_of(exporter)).text
    assert "Totals or differences" in page
    assert "does not fit: set it to delta" in page
