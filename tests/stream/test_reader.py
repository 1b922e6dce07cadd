"""The life of a stream: kept open, renewed without a gap, and ended at once when asked."""

from __future__ import annotations

import functools
import itertools
import logging
import re
import threading
import time
from collections.abc import Iterator

import pytest

from pf_exporter.config.accounts import Account
from pf_exporter.config.secrets import Secret
from pf_exporter.config.settings import Config, InventorySettings
from pf_exporter.errors import EventError, TooLarge
from pf_exporter.packetfabric.backoff import Backoff
from pf_exporter.packetfabric.sse import ServerSentEvent
from pf_exporter.reason import Reason
from pf_exporter.recording.format import Mark
from pf_exporter.state.stats import StreamState
from tests.chain import Chain
from tests.conftest import until
from tests.fakes import (
    FIN,
    HEARTBEAT,
    SILENCE,
    STREAM,
    Answer,
    Fake,
    Piece,
    Step,
    dead_url,
    event,
)
from tests.stream.events import PORT, sample, settings


def test_event_reaches_the_store(fake: Fake) -> None:
    """Login, subscription, stream: an event ends up in the store."""
    fake.events = [sample(1)]
    with Chain(fake.account()) as chain:
        chain.wait_for_events(1)
        assert chain.stats.up
        assert [circuit for circuit, _ in chain.store.rows("port|metrics")["default"]] == [(PORT,)]
    assert len(fake.of("login")) == len(fake.of("subscribe")) == len(fake.of("open")) == 1
    assert fake.of("logout")


class CollectingSink:
    """An EventSink that keeps everything it receives."""

    def __init__(self) -> None:
        self.bytes = b""
        self.events: list[tuple[str, str]] = []
        self.rejected: list[EventError] = []

    def tap(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.bytes += chunk
            yield chunk

    def mark(self, mark: Mark) -> None:
        raise AssertionError(mark)

    def process(self, event: ServerSentEvent) -> None:
        self.events.append((event.event, event.data))

    def reject(self, error: EventError) -> None:
        self.rejected.append(error)


def test_slow_chunk(fake: Fake) -> None:
    """A large chunk that arrives slowly: its events come as they arrive, and it is not silence."""
    size = sum(len(sample(number)) for number in range(1, 11))
    pieces: list[Piece] = [b"%x\r\n" % size]
    for number in range(1, 11):
        pieces += [sample(number), 0.35]
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    fake.script["open"] = [(head, *pieces, SILENCE)]
    with Chain(fake.account(), settings=settings(idle_timeout=3.0)) as chain:
        chain.wait_for_events(10)
        assert chain.stats.connects == 1
        assert sum(chain.stats.disconnects.values()) == 0


def test_any_sink_receives_the_stream(fake: Fake) -> None:
    """A sink gets all bytes, the events in their order, and those that are too large as errors."""
    sink = CollectingSink()
    sent = [b"event: a\ndata: 1\n\n", b"data: " + b"x" * (2 << 20) + b"\n\n", b"event: b\ndata: 2\n\n"]
    fake.events = [*sent]
    with Chain(fake.account(), create_processor=lambda *_, **__: sink):
        until(lambda: len(sink.events) == 2, "two events")
    assert sink.events == [("a", "1"), ("b", "2")]
    assert [type(error) for error in sink.rejected] == [TooLarge]
    assert b"".join(sent) in sink.bytes.replace(HEARTBEAT, b"")


def test_heartbeats_keep_a_quiet_stream_alive(fake: Fake) -> None:
    """Bytes without events are not silence: the stream stays open for longer than the idle timeout."""
    with Chain(fake.account(), settings=settings(idle_timeout=2.5)) as chain:
        until(lambda: chain.stats.bytes > 60 * len(HEARTBEAT), "three seconds of heartbeats")
        assert chain.stats.up
        assert chain.stats.connects == 1


def test_silence_is_seen_within_the_idle_timeout(fake: Fake) -> None:
    """A half-open connection: packetfabric_up becomes 0, and the stream is reopened."""
    fake.script["open"] = [STREAM.but(body=(sample(1), SILENCE))]
    with Chain(fake.account(), settings=settings(idle_timeout=1.0)) as chain:
        chain.wait_for_events(1)
        fake.wait_for(lambda: len(fake.of("open")) == 2)
        until(lambda: chain.stats.up, "the next stream")
        assert chain.stats.disconnects["idle"] >= 1
        assert len(fake.subscriptions) == 1


def test_planned_end(fake: Fake) -> None:
    """A healthy stream that the server ends is reopened at once, on the same subscription, each time."""
    fake.script["open"] = itertools.repeat(STREAM.but(framing="close"))

    def reopened(times: int) -> bool:
        return len(fake.of("open")) == times + 1

    slow = settings(backoff_min=600.0, backoff_max=600.0)
    with Chain(fake.account(), settings=slow, healthy_after=0.0) as chain:
        for number in range(1, 6):
            until(lambda: len(fake.streams) == 1, "a stream")
            fake.send(sample(number))
            chain.wait_for_events(number)
            fake.send(FIN)
            fake.wait_for(functools.partial(reopened, number))
        assert chain.stats.disconnects["ended"] == 5
        assert chain.stats.gap_seconds < 600
    assert len(fake.of("subscribe")) == len(fake.of("login")) == 1


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(Answer(204), id="204"),
        pytest.param(Answer(200, {"Content-Type": "text/html"}, b"<html>"), id="web page"),
        pytest.param(STREAM.but(body=()), id="empty stream"),
        pytest.param(STREAM.but(body=(sample(1),)), id="one event and the end"),
        pytest.param(Answer(404), id="404"),
        pytest.param(Answer(400), id="400"),
        pytest.param(FIN, id="closed"),
    ],
)
def test_refused_streams_back_off(fake: Fake, step: Step) -> None:
    """However the stream is refused, after one immediate retry the attempts keep the backoff's distance."""
    fake.script["open"] = itertools.repeat(step)
    with Chain(fake.account(), settings=settings(backoff_min=0.1, backoff_max=0.2)):
        fake.wait_for(lambda: len(fake.of("open")) >= 6)
    at = [request.at for request in fake.of("open")]
    gaps = [later - earlier for earlier, later in itertools.pairwise(at)]
    assert min(gaps[1:]) >= 0.09
    assert len(fake.of("login")) == 1


def test_token_is_never_accepted(fake: Fake) -> None:
    """401 on everything after the login: logins keep their own slow schedule."""
    fake.script["subscribe"] = itertools.repeat(Answer(401))
    with Chain(fake.account(), schedule=Backoff(0.2, 0.4)) as chain:
        fake.wait_for(lambda: len(fake.of("login")) >= 4)
        assert not chain.stats.up
    at = [request.at for request in fake.of("login")]
    assert min(later - earlier for earlier, later in itertools.pairwise(at)) >= 0.19
    assert fake.most["login"] == 1


def test_retry_after_is_obeyed(fake: Fake) -> None:
    """The server may ask for a longer wait than the schedule, up to an hour, never for a shorter one."""
    fake.script["open"] = [Answer(503, {"Retry-After": "1"})]
    with Chain(fake.account()):
        fake.wait_for(lambda: len(fake.of("open")) == 2)
    first, second = fake.of("open")
    assert second.at - first.at >= 0.95


@pytest.mark.parametrize(
    "phase", ["connect", "login", "subscribe", "open", "stream", "backoff", "unreachable"]
)
def test_stop_at_once_in_every_state(fake: Fake, phase: str) -> None:
    """In every state stop() ends the thread, and does not wait for what the thread waits for."""
    account = fake.account()
    chain = Chain(account, settings=settings(backoff_min=30.0, backoff_max=60.0, idle_timeout=30.0))
    if phase == "unreachable":
        account = Account(api_url=dead_url(), token=Secret("x"))
        chain = Chain(account, settings=settings(backoff_min=30.0, backoff_max=60.0))
    elif phase == "backoff":
        fake.script["open"] = itertools.repeat(Answer(500))
    elif phase == "stream":
        fake.script["open"] = [STREAM.but(body=(sample(1), SILENCE))]
    else:
        fake.script[phase] = [SILENCE]
    with chain:
        if phase in ("backoff", "unreachable"):
            until(lambda: chain.stats.state is StreamState.BACKOFF, "backoff")
        elif phase == "connect":
            fake.wait_for(lambda: fake.connections)
        elif phase == "stream":
            chain.wait_for_events(1)
        else:
            fake.wait_for(lambda: fake.of(phase))
    # Its thread has ended before the timeouts and delays, which are 30 seconds.
    assert chain.stats.state is StreamState.STOPPED
    if phase in ("stream", "backoff", "open", "subscribe"):
        assert fake.of("logout")


def is_recent(chain: Chain, now: float) -> bool:
    """Whether the last sample came about now."""
    return abs(chain.stats.last_event.get("port|metrics", 0.0) - now) < 60


def test_wall_clock_jumps(fake: Fake) -> None:
    """Jumps of an hour or ten years in either direction: the stream and its series stay."""
    fake.events = [sample(1)]
    jump = 0.0
    with Chain(fake.account(), ttl=30.0, wall=lambda: time.time() + jump) as chain:
        chain.wait_for_events(1)
        for number, jump in enumerate((3600.0, -3600.0, 315e6, -315e6), 2):
            fake.send(sample(number))
            chain.wait_for_events(number)
            until(functools.partial(is_recent, chain, time.time() + jump), "the new time")
        assert chain.stats.connects == 1
        assert chain.stats.up
        ((_, row),) = chain.store.rows("port|metrics")["default"]
        assert row.values[0] == number


def test_a_million_retries_do_not_overflow() -> None:
    """After weeks of failures the delay stays at its maximum."""
    backoff = Backoff(1.0, 60.0, attempt=1_000_000)
    assert 1.0 <= backoff.delay(0.0) <= backoff.delay(0.999) <= 60.0


def test_huge_event(fake: Fake) -> None:
    """Three megabytes without a newline: counted once, the stream stays open, the next event is stored."""
    fake.events = [b"data: " + b"x" * (3 << 20) + b"\n\n", sample(1)]
    with Chain(fake.account()) as chain:
        chain.wait_for_events(1)
        assert chain.stats.rejected["too_large"] == 1
        assert chain.stats.connects == 1


def test_delta_totals_survive_a_reconnect(fake: Fake) -> None:
    """Events with increments are added up across streams."""
    stamp = "2021-09-22T20:34:{:02}+00:00"

    def difference(second: int) -> bytes:
        data = {"timestamp": stamp.format(second), "port_circuit_id": PORT, "rx_runt": 2}
        return event("port|errors", data)

    fake.events = [difference(1)]
    with Chain(fake.account(), delta=("port|errors",)) as chain:
        chain.wait_for_events(1)
        fake.events = []
        fake.send(difference(2), FIN)
        fake.wait_for(lambda: len(fake.of("open")) == 2 and fake.streams)
        fake.send(difference(3))
        chain.wait_for_events(3)
        ((_, row),) = chain.store.rows("port|errors")["default"]
        assert [value for value in row.values if value is not None] == [6.0]


def test_log_of_state_changes(fake: Fake, caplog: pytest.LogCaptureFixture) -> None:
    """Each change of state is one log line; a failure has its reason and delay."""
    fake.script["open"] = [Answer(503)]
    with caplog.at_level("INFO", "pf_exporter"), Chain(fake.account()) as chain:
        until(lambda: chain.stats.up, "a stream")
        until(lambda: "streaming" in caplog.messages, "the log")
        messages = list(caplog.messages)
    assert messages == ["logged in", "not streaming", "streaming"]
    (lost,) = [record for record in caplog.records if record.getMessage() == "not streaming"]
    assert vars(lost)["fields"].keys() == {"account", "reason", "error", "remedy", "retry_in"}
    assert lost.levelname == "WARNING"


def test_forbidden_is_logged_as_an_error(fake: Fake, caplog: pytest.LogCaptureFixture) -> None:
    """403 needs a person: it is logged as an error."""
    fake.script["open"] = [Answer(403)]
    with Chain(fake.account()) as chain:
        until(lambda: chain.stats.up, "a stream")
    (lost,) = [record for record in caplog.records if record.getMessage() == "not streaming"]
    assert lost.levelname == "ERROR"


def refusals(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [
        (record.levelname, record.getMessage()) for record in caplog.records if record.levelno > logging.INFO
    ]


@pytest.mark.parametrize("kind", ["password", "key"])
def test_wrong_credential_is_one_error(fake: Fake, caplog: pytest.LogCaptureFixture, kind: str) -> None:
    """However often it is tried, by stream and inventory: one line with host, cause and remedy."""
    account = fake.account(token=Secret("wrong"), login=None, password=None)
    if kind == "password":
        account = fake.account()
        fake.script["login"] = itertools.repeat(Answer(401, {}, b'{"message": "no such user"}'))
    config = Config((account,), inventory=InventorySettings(interval=0.05))
    with Chain(account, config=config) as chain:
        fake.wait_for(lambda: len(fake.of("login" if kind == "password" else "subscribe")) > 3)
        until(lambda: sum(chain.inventory.failures.values()) > 1, "two polls")
    assert refusals(caplog) == [("ERROR", "credentials not accepted")]
    (record,) = [record for record in caplog.records if record.levelno > logging.INFO]
    fields = vars(record)["fields"]
    assert fields["account"] == "default"
    assert re.match(r"[a-z ]+: 127\.0\.0\.1:\d+: HTTP 401", str(fields["error"]))
    assert fields["remedy"] == Reason.UNAUTHORIZED.remedy


def test_expired_session_is_a_warning(fake: Fake, caplog: pytest.LogCaptureFixture) -> None:
    """A session that was good and is refused later needs no person."""
    with Chain(fake.account()) as chain:
        until(lambda: chain.stats.up, "a stream")
        with fake.changed:
            fake.sessions.clear()
        fake.send(FIN)
        until(lambda: len(fake.of("login")) == 2 and chain.stats.up, "another session")
    assert {level for level, _ in refusals(caplog)} == {"WARNING"}


def test_api_is_down_at_the_start(fake: Fake) -> None:
    """With PacketFabric down at the start the reader keeps trying, and streams once it responds."""
    gate = threading.Event()
    fake.script["connect"] = [(gate.wait, FIN), FIN, FIN, FIN]
    with Chain(fake.account()) as chain:
        assert not chain.stats.up
        gate.set()
        until(lambda: chain.stats.up, "a stream")
        assert chain.stats.session.login_failures["unavailable"] == 4


def test_silent_streams_are_never_up(fake: Fake) -> None:
    """Streams that open and stay silent: up stays 0, and the time counts as a gap."""
    fake.script["open"] = [STREAM.but(body=(SILENCE,))] * 100
    quick = settings(idle_timeout=0.1, backoff_min=0.02, backoff_max=0.02)
    with Chain(fake.account(), settings=quick, healthy_after=0.05) as chain:
        began = time.monotonic()
        ups = set()

        def three_silences() -> bool:
            ups.add(chain.stats.up)
            return chain.stats.disconnects["idle"] >= 3

        until(three_silences, "three silent streams")
        assert ups == {False}
        elapsed = time.monotonic() - began
        assert chain.stats.gap_seconds >= elapsed


def test_broken_connection_of_a_healthy_stream(fake: Fake) -> None:
    """The planned end may look like a broken connection: a healthy stream is reopened at once."""
    with Chain(
        fake.account(), settings=settings(backoff_min=600.0, backoff_max=600.0), healthy_after=0.0
    ) as chain:

        def cut(times: int) -> bool:
            return chain.stats.disconnects["broken"] == times

        for number in (1, 2, 3):
            until(lambda: fake.streams and chain.stats.up, "a stream")
            fake.send(FIN)
            until(functools.partial(cut, number), "the cut")
        until(lambda: chain.stats.up, "a stream")
        assert chain.stats.gap_seconds < 600
