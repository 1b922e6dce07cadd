"""What only the whole exporter shows: settings, inventory, session and stream of an account together."""

from __future__ import annotations

import dataclasses
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pf_exporter.config import LogSettings
from pf_exporter.config.accounts import Account, StreamFilter
from pf_exporter.config.settings import Config, InventorySettings, StreamSettings, WebSettings
from pf_exporter.service.exporter import Exporter
from tests.activity.entries import Truth
from tests.conftest import get, until
from tests.fakes import FIN, LIVE, OK, SILENCE, STREAM, Answer, Fake, certificate
from tests.stream.events import sample

WEB = WebSettings(listen_address=("127.0.0.1:0",))
QUICK = StreamSettings(idle_timeout=10.0, rotate_after=0, backoff_min=0.05, backoff_max=0.1)


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake(heartbeat=0.05) as api:
        yield api


def config(account: Account, stream: StreamSettings = QUICK) -> Config:
    return Config((account,), web=WEB, stream=stream, inventory=InventorySettings(interval=0.2))


def value(exporter: Exporter, series: str) -> float:
    """The value of a series on /metrics; its labels as they are there, without the account."""
    name, _, labels = series.partition("{")
    full = f'{name}{{account="default"' + (f",{labels}" if labels else "}")
    page = get(f"http://{exporter.server.addresses[0]}/metrics")[2].decode()
    (line,) = [line for line in page.splitlines() if line.startswith(full)]
    return float(line.rpartition(" ")[2])


def becomes(exporter: Exporter, series: str, is_wanted: Callable[[float], bool]) -> None:
    until(lambda: is_wanted(value(exporter, series)), series)


def test_new_port_leads_to_a_new_subscription(fake: Fake) -> None:
    """A port that is new in the API's list is part of the next subscription, and no event is lost."""
    fake.lists["/v2/ports"] = [{"port_circuit_id": "PF-AP-1"}]
    with Exporter(config(fake.account())) as exporter:
        becomes(exporter, "packetfabric_up", bool)
        fake.wait_for(lambda: len(fake.of("/v2/ports")) > 2)  # A poll makes two: the first poll has ended.
        assert len(fake.of("subscribe")) == 1
        fake.lists["/v2/ports"] = [{"port_circuit_id": "PF-AP-1"}, {"port_circuit_id": "PF-AP-2"}]
        fake.wait_for(lambda: len(fake.streams) == 2)
        fake.send(sample(1))
        becomes(exporter, 'packetfabric_stream_disconnects_total{reason="rotated"}', bool)
        assert value(exporter, 'packetfabric_stream_events_total{event="port|metrics"}') == 1
        assert value(exporter, 'packetfabric_stream_events_lost_total{reason="rotated"}') == 0
        assert value(exporter, "packetfabric_stream_connects_total") == 2
    assert len(fake.of("subscribe")) == 2


def test_circuits_of_another_account(fake: Fake, caplog: pytest.LogCaptureFixture) -> None:
    """A circuit that a stream names and the account does not have is one warning, however many polls."""
    fake.lists["/v2/ports"] = [{"port_circuit_id": "PF-AP-1"}]
    account = fake.account(streams=(StreamFilter("port", selectors=("PF-AP-1", "PF-AP-9")),))
    with Exporter(config(account)) as exporter:
        becomes(exporter, "packetfabric_up", bool)
        fake.wait_for(lambda: len(fake.of("/v2/ports")) > 2)
    (warning,) = [record for record in caplog.records if "not in this account" in record.message]
    fields = warning.__dict__["fields"]
    assert (fields["account"], fields["circuits"]) == ("default", "PF-AP-9")


def test_ca_file(tmp_path: Path) -> None:
    """The stream and the inventory trust the account's CA, and only with it."""
    ca_file, context = certificate(tmp_path)
    with Fake(tls=context, heartbeat=0.05) as fake:
        with Exporter(config(fake.account(ca_file=ca_file))) as exporter:
            becomes(exporter, "packetfabric_up", bool)
            fake.wait_for(lambda: fake.of("/v2/ports"))
        fake.requests.clear()
        with Exporter(config(fake.account())) as exporter:
            becomes(exporter, 'packetfabric_stream_disconnects_total{reason="unavailable"}', bool)
        assert not fake.requests


def test_session_expiry(fake: Fake) -> None:
    """The end of the session is on /metrics."""
    at = int(time.time()) + 7200
    fake.session["time_expires"] = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + ".000000"
    with Exporter(config(fake.account())) as exporter:
        becomes(exporter, "packetfabric_up", bool)
        assert value(exporter, "packetfabric_session_expiry_timestamp_seconds") == at


def test_renewal_that_breaks(fake: Fake) -> None:
    """The stream is cut while the next one is opened, which fails: disconnect, gap and bytes are counted."""
    gate = threading.Event()
    live = STREAM.but(body=(sample(1), LIVE))
    quick = StreamSettings(idle_timeout=10.0, rotate_after=0.3, backoff_min=0.2, backoff_max=0.3)
    # Later rotations stay incomplete.
    fake.script["open"] = itertools.chain([live, (gate.wait, Answer(503)), OK], itertools.repeat(SILENCE))
    with Exporter(config(fake.account(), quick)) as exporter:
        fake.wait_for(lambda: len(fake.of("open")) == 2)
        before = value(exporter, "packetfabric_stream_gap_seconds_total")
        assert value(exporter, "packetfabric_stream_bytes_total") >= len(sample(1))
        fake.send(FIN)
        becomes(exporter, "packetfabric_up", lambda up: not up)
        gate.set()
        becomes(exporter, "packetfabric_up", bool)
        assert value(exporter, 'packetfabric_stream_disconnects_total{reason="broken"}') == 1
        assert value(exporter, 'packetfabric_stream_disconnects_total{reason="rotated"}') == 0
        assert value(exporter, "packetfabric_stream_gap_seconds_total") >= before + 0.1
        bytes_before = value(exporter, "packetfabric_stream_bytes_total")
        fake.send(sample(2))
        becomes(exporter, "packetfabric_stream_bytes_total", lambda n: n >= bytes_before + len(sample(2)))


def test_activity_of_the_last_minutes(fake: Fake) -> None:
    """At the start, entries that were not streamed are counted; when they arrive late, not once more."""
    now = time.time()
    lost, streamed = Truth("a", now - 30, "lost"), Truth("b", now - 20, "streamed")
    fake.lists["/v2/activity-logs"] = [lost.row()]
    fake.events.append(streamed.frame())
    with Exporter(config(fake.account())) as exporter:
        becomes(exporter, 'packetfabric_activity_catch_up_total{result="found"}', lambda number: number == 1)
        counted = 'packetfabric_activity_events_total{category="auth",log_level="info"}'
        becomes(exporter, counted, lambda number: number == 2)
        fake.send(lost.frame())
        becomes(
            exporter, 'packetfabric_stream_events_total{event="customer|auth"}', lambda number: number == 2
        )
        assert value(exporter, counted) == 2


def test_activity_across_reloads(fake: Fake, caplog: pytest.LogCaptureFixture) -> None:
    """An account that a reload restarts takes over its memory: entries are logged and counted once.

    Its counters start again from 0, as those of events do. A removed account is forgotten.
    """
    now = time.time()
    missed, streamed, late = (Truth(name, now - 30, name) for name in ("missed", "streamed", "late"))
    fake.lists["/v2/activity-logs"] = [missed.row(), streamed.row()]
    fake.events.append(streamed.frame())  # With each connection, so that the stream also repeats it.
    account = fake.account()

    def with_messages(account: Account) -> Config:
        return dataclasses.replace(config(account), log=LogSettings(activity_fields=("message",)))

    configs = [with_messages(account)]
    counted = 'packetfabric_activity_events_total{category="auth",log_level="info"}'
    found = 'packetfabric_activity_catch_up_total{result="found"}'

    def logged() -> list[str]:
        fields = [record.__dict__["fields"] for record in caplog.records if record.msg == "activity"]
        return sorted(line["message"] for line in fields)

    with caplog.at_level("INFO", "pf_exporter"), Exporter(configs.pop(), source=configs.pop) as exporter:
        becomes(exporter, counted, lambda number: number == 2)
        becomes(exporter, found, bool)
        fake.lists["/v2/activity-logs"] += [late.row()]
        configs += [with_messages(dataclasses.replace(account, series_limit=1000))]
        exporter.reload()
        becomes(exporter, found, lambda number: number == 1)
        becomes(
            exporter, 'packetfabric_stream_events_total{event="customer|auth"}', lambda number: number == 1
        )
        until(lambda: logged() == ["late", "missed", "streamed"], "the log")
        assert value(exporter, counted) == 1
        configs += [with_messages(account), with_messages(fake.account(name="other", streams=()))]
        exporter.reload()
        exporter.reload()
        becomes(exporter, counted, lambda number: number == 3)
        until(lambda: len(logged()) >= 6, "the log")
        assert logged() == ["late", "late", "missed", "missed", "streamed", "streamed"]


def test_gaps_across_reloads(fake: Fake) -> None:
    """A gap that begins before a reload and ends after it is one gap; earlier ones are kept."""
    account = fake.account()
    configs = [config(account), config(dataclasses.replace(account, series_limit=1000))]
    with Exporter(configs.pop(0), source=lambda: configs[0]) as exporter:
        becomes(exporter, "packetfabric_up", bool)
        fake.script["open"] = itertools.repeat(Answer(503))
        fake.send(FIN)
        becomes(exporter, 'packetfabric_stream_disconnects_total{reason="unavailable"}', bool)
        reloaded_at = time.time()
        exporter.reload()
        becomes(exporter, 'packetfabric_stream_disconnects_total{reason="unavailable"}', bool)
        fake.script["open"] = itertools.repeat(OK)
        becomes(exporter, "packetfabric_up", bool)
        gaps = json.loads(get(f"http://{exporter.server.addresses[0]}/-/gaps")[2])["default"]
        assert len(gaps) == 2
        assert gaps[0]["end"] <= gaps[1]["start"] <= reloaded_at <= gaps[1]["end"]
