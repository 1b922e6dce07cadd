"""The HTML of the status page: text stays text, and nothing is loaded from anywhere."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
import subprocess
import sys
from typing import Any

import pytest

from pf_exporter.config.settings import Config, WebSettings
from pf_exporter.service.exporter import Exporter
from pf_exporter.web.circuit_context import EndEntry, PortEntry, Rate, TableView, VcEntry
from pf_exporter.web.page_values import Choice, Fact, Moment, Severity
from pf_exporter.web.sending import EndpointEntry
from pf_exporter.web.status_context import (
    AccountStatus,
    ErrorEntry,
    EventEntry,
    Folding,
    MaintenanceEntry,
    Problem,
    RateEntry,
    ReloadFailure,
    SettingEntry,
    StatusContext,
    TemporalityEntry,
)
from pf_exporter.web.status_page import render_page
from tests.conftest import get
from tests.fakes import Fake
from tests.web.page_reader import PageReader

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'onmouseover='alert(1)",
    "</title></style><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "&lt;b&gt;",
    "{0} %s ${x} {{ page }} {% if %}",
)
MOMENT = Moment("12:00:00 UTC", "2026-01-01T12:00:00Z", "5 min")
ERROR = ErrorEntry("Stream", "stream: connection reset", "broken", "Check the path.", MOMENT, MOMENT, 3)
TABLE = TableView(
    name="port",
    title="Ports",
    note="1 to 1 of 9 found, 12 in total.",
    search="lax",
    search_hint="Name, ID",
    clear_url="/?x=clear",
    has_focus=True,
    previous_url="/?x=previous",
    next_url="/?x=next",
)
RATE = Rate("1 bit/s", "50%", "50.0")
FULL = StatusContext(
    title="Not streaming: one",
    version="1.0",
    telemetry_path="/metrics",
    refresh_seconds=0,
    refresh_choices=[Choice("10 s", "10", False), Choice("off", "off", True)],
    hidden=[("port_of", "nyc")],
    endpoints=[
        EndpointEntry(
            name="main",
            host="127.0.0.1:9090",
            state="Failing",
            severity=Severity.BAD,
            sent="1,000",
            newest="5 s ago",
            pending="20",
            spool="1 MB",
            lost="3 rejected",
            problem="HTTP 500",
        )
    ],
    rendered_at=MOMENT,
    summary=[Fact("Accounts", "1 silent", severity=Severity.BAD)],
    reload_failures=[ReloadFailure("configuration", ["a problem"])],
    accounts=[
        AccountStatus(
            name="one",
            state="Waiting to retry",
            severity=Severity.BAD,
            since=MOMENT,
            problems=[Problem(ERROR, MOMENT)],
            facts=[Fact("Credential", "API key", "a note", Severity.GOOD), Fact("Event lag", "1 s")],
            errors=[dataclasses.replace(ERROR, message="another message", remedy="Another remedy.")],
            events=[EventEntry("port|metrics", "5", "6", "7 s ago")],
        )
    ],
    more_accounts=[Fact("two", "Streaming", severity=Severity.GOOD)],
    maintenance=[
        MaintenanceEntry(
            account="one",
            title="Upgrade NOC-1",
            state="In progress",
            severity=Severity.WARNING,
            start=MOMENT,
            end=MOMENT,
            local="2026-01-01 01:00 to 05:00 CET",
            affected="1 port",
            circuits=["PF-AP-9"],
        )
    ],
    ports_view=TABLE,
    ports=[
        PortEntry(
            id="PF-AP-1",
            name="Core",
            account="one",
            state="Up",
            severity=Severity.GOOD,
            pop="LAX1",
            site="CoreSite LA1",
            speed="2 bit/s",
            lag="PF-AE-1",
            receive=RATE,
            transmit=RATE,
            errors="3 / 4",
            light="-1.0 / -2.0",
            last_event="8 s ago",
        )
    ],
    vcs_view=dataclasses.replace(TABLE, name="vc", title="Virtual circuits"),
    vcs=[
        VcEntry(
            id="PF-BC-1",
            name="Lease",
            account="one",
            state="Down",
            severity=Severity.BAD,
            speed="3 bit/s",
            ends=[EndEntry("A", "PF-AP-1", "Core", "102", RATE, RATE, "9 s ago")],
        )
    ],
    unknown_fields=["field who of port|errors"],
    rates=[RateEntry("one", "port|metrics", "bytes", "bits per second", "12 comparisons.", "matches")],
    temporality=[TemporalityEntry("one", "port|errors", "delta", "Some evidence.", "matches")],
    settings=[SettingEntry("web.telemetry_path", "/metrics")],
    events_folding=Folding("events", True),
    configuration_folding=Folding("configuration", True),
)
"""A page with every part it can have."""
NO_ROWS = dataclasses.replace(TABLE, note="No data yet.", previous_url="", next_url="")
EMPTY = dataclasses.replace(
    FULL,
    summary=[],
    reload_failures=[],
    accounts=[],
    more_accounts=[],
    maintenance=[],
    endpoints=[],
    ports_view=NO_ROWS,
    ports=[],
    vcs_view=dataclasses.replace(NO_ROWS, name="vc"),
    vcs=[],
    unknown_fields=[],
    rates=[],
    temporality=[],
    settings=[],
)
WEB = WebSettings(listen_address=("127.0.0.1:0",))


def replace_texts(value: Any, text: str) -> Any:
    """A copy in which every string, however deep inside, is another one."""
    if isinstance(value, str) and not isinstance(value, Severity):
        return text if value else ""  # An empty text is a part that is left out.
    if isinstance(value, list | tuple):
        return [replace_texts(item, text) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        replaced = {
            row.name: replace_texts(getattr(value, row.name), text) for row in dataclasses.fields(value)
        }
        return dataclasses.replace(value, **replaced)
    return value


def texts(value: Any) -> list[str]:
    """Every string inside a value."""
    if isinstance(value, Severity):
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, list | tuple):
        return [text for item in value for text in texts(item)]
    if dataclasses.is_dataclass(value):
        return [text for row in dataclasses.fields(value) for text in texts(getattr(value, row.name))]
    return []


def test_every_value_is_shown() -> None:
    """Each value of the context appears in the page's text or in an attribute."""
    reader = PageReader(render_page(FULL))
    shown = {value for _, value in reader.attributes}
    assert [text for text in texts(FULL) if text not in reader.text and text not in shown] == []


def test_empty_parts() -> None:
    """A page without accounts, circuits and errors is well-formed, and has fewer parts."""
    reader = PageReader(render_page(EMPTY))
    assert "No data yet." in reader.text
    assert reader.elements.count("section") == 3


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    """Wherever a value stands in the page, HTML in it is displayed literally and creates no element."""
    page = render_page(replace_texts(FULL, text))
    reader = PageReader(page)
    expected = PageReader(render_page(FULL))
    assert reader.elements == expected.elements
    assert {name for name, _ in reader.attributes} == {name for name, _ in expected.attributes}
    assert reader.text.count(text) + [value for _, value in reader.attributes].count(text) >= 60


def test_nothing_foreign(fake: Fake) -> None:
    """The Content-Security-Policy allows the page's own style alone, and the page needs nothing else."""
    with Exporter(Config(accounts=(fake.account(),), web=WEB)) as exporter:
        headers, body = get(f"http://{exporter.server.addresses[0]}/")[1:]
    page = body.decode()
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    style = re.search("<style>(.*)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == f"'sha256-{digest}'"
    assert policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    reader = PageReader(page)
    assert not {"script", "link", "img", "iframe"} & set(reader.elements)
    assert not {"src", "style"} & {name for name, _ in reader.attributes}
    assert all(
        value.startswith("/") for name, value in reader.attributes if name in ("href", "action", "formaction")
    )
    assert "url(" not in style[1]
    assert "@import" not in style[1]


LAZY = """
import sys
from urllib.request import urlopen
import pf_exporter.cli
from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import Config, WebSettings
from pf_exporter.service.exporter import Exporter
account = Account(api_url="http://127.0.0.1:9", token=Secret("x"))
with Exporter(Config(accounts=(account,), web=WebSettings(listen_address=("127.0.0.1:0",)))) as exporter:
    for path in ("/metrics", "/-/healthy", "/"):
        urlopen(f"http://{exporter.server.addresses[0]}{path}", timeout=60).close()
        print(path, "jinja2" in sys.modules)
"""


def test_jinja2_is_imported_for_the_first_page() -> None:
    """Neither the start of the exporter nor a scrape imports Jinja2; the first status page does."""
    done = subprocess.run(
        [sys.executable, "-c", LAZY], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines() == ["/metrics False", "/-/healthy False", "/ True"]
