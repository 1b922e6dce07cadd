"""The log is read after gaps, merged, and given up only if it cannot be compared."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest

from pf_exporter.activity.catch_up import CatchUp
from pf_exporter.activity.counter import ActivityCounter
from pf_exporter.activity.ledger import ActivityLedger
from pf_exporter.config.accounts import Account, StreamFilter
from pf_exporter.packetfabric.backoff import Backoff
from pf_exporter.packetfabric.client import Client
from pf_exporter.packetfabric.session import SessionManager
from pf_exporter.schema.timestamps import epoch
from pf_exporter.state.stats import AccountStats, CatchUpResult
from tests.activity.entries import Truth
from tests.conftest import until
from tests.fakes import OK, SILENCE, Answer, Fake, answer

PATH = "/v2/activity-logs"


class Harness:
    """An account's catch-up, without its stream; the clock stands still."""

    def __init__(self, fake: Fake, account: Account, at_start: float = 600.0) -> None:
        self.fake = fake
        self.now = time.time()
        self.stats = AccountStats(account, idle_timeout=1)
        self.counter = ActivityCounter(self.stats, fields=("message",), ledger=ActivityLedger())
        self.client = Client(account, idle_timeout=5)
        self.failures: list[BaseException] = []
        self.catch_up = CatchUp(
            self.client,
            SessionManager(self.client, account.name),
            self.counter,
            self.stats,
            at_start=at_start,
            on_failure=self.failures.append,
            min_interval=0.0,
            retry=Backoff(0.01, 0.02),
            wall=lambda: self.now,
        )

    def stop(self) -> None:
        self.catch_up.stop()
        self.client.abort()
        assert self.catch_up.join(60)
        assert self.failures == []

    def results(self) -> dict[str, int]:
        return {result.value: number for result, number in self.stats.caught_up.items() if number}

    def fills(self, start: float, end: float) -> None:
        """A gap ends; wait until the log was read and merged."""
        before = len(self.fake.of(PATH))
        self.stats.gaps.add(start, end)
        self.fake.wait_for(lambda: len(self.fake.of(PATH)) > before)


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as api:
        yield api


@pytest.fixture
def harness(fake: Fake) -> Iterator[Harness]:
    fake.lists[PATH] = []
    harness = Harness(fake, fake.account())
    harness.catch_up.start()
    yield harness
    harness.stop()


def test_gap_is_filled(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    """Entries of a gap are counted and logged with their own time; streamed ones are not counted again."""
    now = harness.now
    lost, streamed = Truth("a", now - 30, "lost"), Truth("b", now - 90, "streamed", has_user=False)
    # In the wrong order, which the API may ignore like any parameter.
    early = Truth("c", now - 100, "early")
    harness.fake.lists[PATH] = [row.row() for row in (lost, streamed, early)]
    with caplog.at_level("INFO", "pf_exporter"):
        harness.counter.count_streamed(streamed.event())
        harness.fills(now - 60, now - 10)
        until(lambda: caplog.messages.count("activity") == 3, "logged")
    assert harness.results() == {"found": 2, "streamed": 1}
    assert harness.stats.activity["auth", "info"] == 3
    fields = [record.__dict__["fields"] for record in caplog.records if record.msg == "activity"]
    assert [line["message"] for line in fields] == ["streamed", "early", "lost"]
    at = epoch(fields[2]["at"])
    assert at is not None
    assert abs(at - lost.at) < 1e-5


def test_late_event_of_an_entry_that_was_found(harness: Harness) -> None:
    """The stream delivers an entry after it was found in the log: it is not counted again."""
    late = Truth("a", harness.now - 30)
    harness.fake.lists[PATH] = [late.row()]
    harness.fills(harness.now - 60, harness.now - 10)
    until(lambda: harness.results() == {"found": 1}, "merged")
    harness.counter.count_streamed(late.event())
    assert harness.stats.activity["auth", "info"] == 1


def test_stream_that_repeats(harness: Harness) -> None:
    """After a gap the stream may bring entries again: they are counted once."""
    entry = Truth("a", harness.now - 30)
    harness.counter.count_streamed(entry.event())
    harness.fills(harness.now - 20, harness.now - 10)
    harness.counter.count_streamed(entry.event())
    assert harness.stats.activity["auth", "info"] == 1


def test_what_is_asked_for(harness: Harness) -> None:
    """The first time, the ten minutes before are read; then gaps, with five minutes before and after."""
    now = harness.now
    harness.fills(now - 1, now)
    harness.fills(now - 60, now - 50)
    first, second = (parse_qs(request.query) for request in harness.fake.of(PATH))
    spans = [[epoch(query[name][0]) for name in ("time_from", "time_to")] for query in (first, second)]
    for span, expected in zip(spans, ((now - 601, now + 300), (now - 360, now + 250)), strict=True):
        assert span == pytest.approx(expected, abs=0.01)
    assert first.keys() == {"time_from", "time_to", "sort_column", "sort_order", "page_size", "offset"}
    assert (first["sort_column"], first["sort_order"]) == (["time_created"], ["asc"])


def test_many_pages(harness: Harness) -> None:
    """A long log is read page by page; a row that comes twice counts once."""
    now = harness.now
    rows: list[object] = [Truth(f"id {number}", now - 200 + number / 100).row() for number in range(1200)]
    harness.fake.lists[PATH] = [*rows[:700], rows[699], *rows[700:]]
    harness.stats.gaps.add(now - 60, now)
    until(lambda: harness.stats.activity["auth", "info"] == 1200, "merged")
    assert harness.results() == {"found": 1200}
    assert len(harness.fake.of(PATH)) > 3


def test_second_look(harness: Harness) -> None:
    """Five minutes after a gap the log is read again, for entries that reach it late."""
    now = harness.now
    answered = threading.Event()
    harness.fake.script[PATH] = [(OK, answered.set)]
    harness.fills(now - 60, now)
    assert answered.wait(60)
    harness.fake.lists[PATH] = [Truth("late", now - 30).row()]
    assert harness.results() == {}
    harness.now += 300
    harness.stats.gaps.add(now + 300, now + 300)
    until(lambda: harness.results() == {"found": 1}, "found")


def test_times_that_differ(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    """If no streamed entry is in the log at its time, nothing is merged any more, and one error says why."""
    now = harness.now
    truth = [Truth(str(number), now - 60 + number) for number in range(5)]
    for entry in truth:
        harness.counter.count_streamed(entry._replace(at=entry.at + 0.5).event())
    harness.fake.lists[PATH] = [entry.row() for entry in truth]
    harness.fills(now - 50, now - 40)
    until(lambda: harness.results() == {"unmatched": 5}, "stopped")
    assert harness.catch_up.join(60)
    assert harness.stats.activity["auth", "info"] == 5
    assert [record.msg[:23] for record in caplog.records if record.levelname == "ERROR"] == [
        "activity log not merged"
    ]
    harness.stats.gaps.add(now - 20, now - 10)
    harness.counter.count_streamed(truth[0].event())
    assert harness.stats.activity["auth", "info"] == 6


def test_failed_read_is_repeated(harness: Harness, caplog: pytest.LogCaptureFixture) -> None:
    """A server that cannot answer is asked again, which is logged, and the gap is not forgotten."""
    harness.fake.script[PATH] = [Answer(503), Answer(500), OK]
    harness.fake.lists[PATH] = [Truth("a", harness.now - 30).row()]
    harness.stats.gaps.add(harness.now - 60, harness.now)
    until(lambda: harness.results() == {"found": 1, "failed": 2}, "read at last")
    assert [record.msg for record in caplog.records] == ["activity log not read"] * 2


@pytest.mark.parametrize("status", [403, 404])
def test_log_that_may_not_be_read(harness: Harness, caplog: pytest.LogCaptureFixture, status: int) -> None:
    """Without permission, or without a log, one warning is logged, and each gap is tried once."""
    harness.fake.script[PATH] = [answer(status, {})] * 2 + [OK]
    harness.fake.lists[PATH] = [Truth("a", harness.now - 30).row()]
    harness.fills(harness.now - 60, harness.now)
    until(lambda: harness.results() == {"failed": 1}, "counted")
    harness.fills(harness.now - 60, harness.now)
    until(lambda: harness.results() == {"failed": 2}, "counted")
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1
    harness.fills(harness.now - 60, harness.now)
    until(lambda: harness.results() == {"failed": 2, "found": 1}, "permitted")


def test_odd_rows(harness: Harness) -> None:
    """Rows without ID or time, outside the time or of other categories than subscribed are left out."""
    now = harness.now
    good = Truth("a", now - 30).row()
    harness.fake.lists[PATH] = [
        {**good, "log_uuid": None},
        {**good, "log_uuid": "b", "time_created": "yesterday"},
        {**good, "log_uuid": "c", "time_created": "2001-01-01T00:00:00Z"},
        {**good, "log_uuid": "d", "level": "loud", "category": 5},
        "row",
        good,
    ]
    harness.fills(now - 60, now)
    until(lambda: harness.results() == {"found": 2}, "merged")
    assert harness.stats.activity["other", "other"] == 1


@pytest.mark.parametrize(
    ("streams", "at_start"), [((StreamFilter("port"),), 600.0), ((StreamFilter("customer"),), 0.0)]
)
def test_nothing_is_read(fake: Fake, streams: tuple[StreamFilter, ...], at_start: float) -> None:
    """Without a subscription to the activity log, or with activity.catch_up 0, nothing is read."""
    harness = Harness(fake, fake.account(streams=streams), at_start)
    harness.catch_up.start()
    assert harness.stats.gaps.on_gap != harness.catch_up.add_gap
    harness.stats.gaps.add(harness.now - 60, harness.now)
    harness.stop()
    assert fake.requests == []


def test_only_subscribed_categories(fake: Fake) -> None:
    """Of an account that subscribes to one category, entries of others are not counted."""
    fake.lists[PATH] = [
        Truth("a", time.time() - 30).row(),
        Truth("b", time.time() - 20, category="bgp").row(),
    ]
    harness = Harness(fake, fake.account(streams=(StreamFilter("customer", ("bgp",)),)))
    harness.catch_up.start()
    harness.stats.gaps.add(harness.now - 60, harness.now)
    until(lambda: harness.results() == {"found": 1}, "merged")
    harness.stop()
    assert harness.stats.activity["bgp", "info"] == 1
    assert harness.stats.caught_up[CatchUpResult.FOUND] == 1


def test_what_was_not_read_passes_to_the_next_catch_up(harness: Harness) -> None:
    """A gap that could not be read, because it waited or its request was aborted, is read by the next one."""
    now = harness.now
    harness.fake.script[PATH] = [SILENCE]
    harness.fills(now - 60, now - 10)
    harness.stats.gaps.add(now - 2000, now - 1900)
    harness.stop()
    entries = [Truth(name, now - at, name) for name, at in (("a", 30), ("b", 1950))]
    harness.fake.lists[PATH] = [entry.row() for entry in entries]
    following = Harness(harness.fake, harness.fake.account())
    following.catch_up.take_over(harness.catch_up)
    following.catch_up.start()
    until(lambda: following.results() == {"found": 2}, "merged")
    following.stop()
