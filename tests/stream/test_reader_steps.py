"""The steps of a reader, with a clock that stands still, and a rotation that a test controls."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, ClassVar

import pytest

from pf_exporter.errors import EventError, ExporterError, StreamBroken, StreamIdle
from pf_exporter.packetfabric.backoff import Backoff
from pf_exporter.packetfabric.client import Client
from pf_exporter.packetfabric.session import SessionManager
from pf_exporter.packetfabric.sse import ServerSentEvent, read_events
from pf_exporter.recording.format import Mark
from pf_exporter.state.stats import AccountStats, StreamState
from pf_exporter.stream.deduplicator import event_key
from pf_exporter.stream.reader import StreamReader
from pf_exporter.stream.retry import RetrySchedule
from pf_exporter.stream.rotation import Rotation
from pf_exporter.stream.subscription import OpenStream, Subscription
from tests.conftest import PATIENCE, until
from tests.fakes import FIN, HEARTBEAT, LIVE, SILENCE, STREAM, Answer, Fake, Step
from tests.state.harness import Clock
from tests.stream.events import entry, settings

IDLE = 10.0
MARGIN = 60.0
"""Beyond the time that a step may take, after which the thread counts as stuck."""
OPENING = 3 * 30.0 + 2 * IDLE
"""What the opening of a stream may take."""
LONG = 3600.0


class Sink:
    """An EventSink that keeps marks and events; ``react`` is called before an event is kept."""

    def __init__(self) -> None:
        self.marks: list[Mark] = []
        self.events: list[str] = []
        self.react: Callable[[], None] = lambda: None

    def tap(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        return chunks

    def mark(self, mark: Mark) -> None:
        self.marks.append(mark)

    def process(self, event: ServerSentEvent) -> None:
        self.react()
        self.events.append(event.data)

    def reject(self, error: EventError) -> None:
        raise AssertionError(error)


class Retry(RetrySchedule):
    """Waits for ``wait`` seconds after each error, and notes how long the stream lived that it ended."""

    wait = 0.0

    def __init__(self) -> None:
        super().__init__(settings())
        self.lifetimes: list[float | None] = []

    def delay(self, exc: ExporterError, lifetime: float | None, login_delay: float) -> float:
        self.lifetimes.append(lifetime)
        return self.wait


class Prepared(Rotation):
    """A rotation that opens nothing: the test gives its result, and sees what the reader tells it."""

    all: ClassVar[list[Prepared]] = []

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.current: OpenStream = arguments[1]
        self.told: list[str] = []
        self.waited: float | None = None
        self.stream: OpenStream | None = None
        self.ready = threading.Event()
        self.keys: list[int] = []
        self.all.append(self)

    def start(self) -> None:
        self.told.append("start")

    def take_keys(self) -> Iterable[int]:
        taken, self.keys = self.keys, []
        return taken

    def event_received(self, at: float) -> None:
        self.told.append("event")

    def caught_up(self, at: float) -> None:
        self.told.append("caught up")

    def current_ended(self) -> None:
        self.told.append("ended")

    def wait(self, seconds: float) -> OpenStream | None:
        self.waited = seconds
        assert self.ready.wait(PATIENCE)
        return self.stream


class Reading:
    """A reader of an account on a fake API, and everything that it uses."""

    def __init__(self, fake: Fake, *, existing: str | None = None, **changes: float) -> None:
        self.fake = fake
        self.clock = Clock()
        account = fake.account()
        self.client = Client(account, idle_timeout=LONG)
        self.stats = AccountStats(account, idle_timeout=IDLE, clock=self.clock)
        self.sessions = SessionManager(
            self.client, account.name, schedule=Backoff(0.001, 0.002), clock=self.clock
        )
        self.subscription = Subscription(
            account, self.client, self.sessions, existing=existing, clock=self.clock
        )
        self.sink = Sink()
        self.retry = Retry()
        self.failures: list[BaseException] = []
        self.reader = StreamReader(
            self.subscription,
            self.sessions,
            self.sink,
            self.stats,
            settings(**{"idle_timeout": IDLE, **changes}),
            on_failure=self.failures.append,
            retry=self.retry,
            clock=self.clock,
        )

    def start(self) -> None:
        self.reader.start()

    def opened(self) -> None:
        """Wait until a stream is open, although it may have brought nothing yet."""
        self.until(lambda: self.stats.connects == 1)
        self.fake.wait_for(lambda: self.fake.streams, PATIENCE)

    def planned(self) -> None:
        """Wait until it is known when the stream is to be replaced."""
        self.opened()
        self.until(lambda: self.stats.rotate_at is not None)

    def streaming(self, number: int = 1) -> None:
        """Wait until the first bytes of a stream have been read."""
        self.until(lambda: self.stats.connects == number and self.stats.up)

    def until(self, condition: Callable[[], object]) -> None:
        until(condition, "a step of the reader")

    def send(self, *pieces: Any) -> None:
        """Send on the first stream only, and wait until the events have been processed."""
        expected = len(self.sink.events) + sum(piece is not FIN and b"data" in piece for piece in pieces)
        with self.fake.changed:
            self.fake.wait_for(lambda: self.fake.streams, PATIENCE)
            for piece in pieces:
                self.fake.streams[0].hand(piece)
        self.until(lambda: len(self.sink.events) == expected)

    def stop(self) -> None:
        self.reader.stop()
        self.client.abort()
        for rotation in Prepared.all:
            rotation.ready.set()
        assert self.reader.join(PATIENCE)

    @property
    def disconnects(self) -> dict[str, int]:
        return {str(reason.value): count for reason, count in self.stats.disconnects.items() if count}  # type: ignore[attr-defined]


Read = Callable[..., Reading]


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> list[Prepared]:
    """The rotations that the reader has begun; they open nothing."""
    Prepared.all.clear()
    monkeypatch.setattr("pf_exporter.stream.reader.Rotation", Prepared)
    return Prepared.all


@pytest.fixture
def read(fake: Fake) -> Iterator[Read]:
    """Start a reader; steps are those of its attempts to open a stream."""
    started: list[Reading] = []

    def start(*steps: Step, **changes: Any) -> Reading:
        fake.script["open"] = [*steps]
        started.append(Reading(fake, **changes))
        started[-1].start()
        return started[-1]

    yield start
    for reading in started:
        reading.stop()


def rotation(reading: Reading, prepared: list[Prepared]) -> Prepared:
    """Let the stream become old enough, and return the rotation that begins."""
    reading.planned()
    reading.clock.now += LONG
    reading.until(lambda: prepared)
    return prepared[-1]


# A thread that is stuck


def assert_stuck_after(reading: Reading, seconds: float) -> None:
    reading.clock.now += seconds
    assert not reading.reader.is_stuck
    reading.clock.now += 0.5
    assert reading.reader.is_stuck


def test_stuck_while_opening(fake: Fake, read: Read) -> None:
    """A login, a subscription and a stream may each take as long as requests may, and no longer."""
    fake.script["login"] = [SILENCE]
    reading = read()
    fake.wait_for(lambda: fake.of("login"), PATIENCE)
    assert_stuck_after(reading, OPENING + MARGIN)


def test_stuck_while_reading(read: Read) -> None:
    """A read may take as long as the stream may be silent."""
    reading = read(STREAM.but(body=(HEARTBEAT, SILENCE)))
    reading.streaming()
    assert_stuck_after(reading, IDLE + MARGIN)


def test_stuck_while_waiting(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait takes as long as was decided."""
    monkeypatch.setattr(Retry, "wait", LONG)
    reading = read(Answer(503))
    reading.until(lambda: reading.stats.state is StreamState.BACKOFF)
    assert_stuck_after(reading, LONG + MARGIN)


def test_stuck_while_waiting_for_the_next_stream(read: Read, prepared: list[Prepared]) -> None:
    """The next stream is waited for as long as its opening may take."""
    reading = read(rotate_after=LONG)
    rotation(reading, prepared)
    reading.send(FIN)
    reading.until(lambda: prepared[0].waited is not None)
    assert prepared[0].waited == OPENING
    assert_stuck_after(reading, OPENING + MARGIN)


# Errors


def ends_with(reading: Reading, error: Exception, *, after: float = 0.0) -> None:
    """Send an event; when it has come, the clock goes on by some seconds, and reading the stream fails."""

    def react() -> None:
        reading.clock.now += after
        raise error

    reading.opened()
    reading.sink.react = react
    reading.fake.send(entry(1))


def test_unexpected_exception(read: Read) -> None:
    """An exception that nothing foresaw ends the reader: the account is stopped, and the failure reported."""
    reading = read()
    error = RuntimeError("bug")
    ends_with(reading, error)
    reading.until(lambda: reading.failures)
    assert reading.failures == [error]
    assert reading.stats.state is StreamState.STOPPED


def test_error_that_only_the_user_can_correct(read: Read) -> None:
    """A subscription of the user that is gone ends the reader: reported once, counted, and not retried."""
    reading = read(Answer(404), existing="abc")
    assert reading.reader.join(PATIENCE)
    assert [type(error).__name__ for error in reading.failures] == ["ExistingSubscriptionGone"]
    assert reading.stats.state is StreamState.STOPPED
    assert reading.disconnects == {"subscription_gone": 1}
    (error,) = reading.stats.history.errors.records()
    assert error.message == str(reading.failures[0])
    assert reading.retry.lifetimes == []


def test_state_after_a_wait(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a wait the account is connecting again, and no retry is announced any more."""
    monkeypatch.setattr(Retry, "wait", 0.01)
    reading = read(Answer(503), SILENCE)
    reading.fake.wait_for(lambda: len(reading.fake.of("open")) == 2, PATIENCE)
    assert (reading.stats.state, reading.stats.retry_at) == (StreamState.CONNECTING, None)
    assert reading.disconnects == {"unavailable": 1}
    assert reading.retry.lifetimes == [None]


def test_remedy_after_a_recovery(read: Read, caplog: pytest.LogCaptureFixture) -> None:
    """An error that comes again after a good stream is explained again."""
    reading = read()
    for number in (1, 2):
        reading.streaming(number)
        reading.send(FIN)
    reading.streaming(3)
    lines = [vars(record)["fields"] for record in caplog.records if record.message == "not streaming"]
    assert ["remedy" in line for line in lines] == [True, True]


@pytest.mark.parametrize(
    ("error", "reason", "gap"),
    [(StreamBroken("stream: cut"), "broken", 0), (StreamIdle("stream: silent"), "idle", 7)],
)
def test_gap(read: Read, error: ExporterError, reason: str, gap: float) -> None:
    """A gap begins when the stream breaks, but that of a silent stream at its last byte.

    Either way, a stream lived until its last byte.
    """
    reading = read(STREAM.but(body=(LIVE,)), SILENCE)
    reading.opened()
    before = reading.stats.gap_seconds
    reading.clock.now += 50
    ends_with(reading, error, after=7)
    reading.fake.wait_for(lambda: len(reading.fake.of("open")) == 2, PATIENCE)
    assert reading.retry.lifetimes == [50]
    assert reading.stats.gap_seconds == before + gap
    assert reading.disconnects == {reason: 1}


def test_replaced_session_is_logged_out(fake: Fake, read: Read) -> None:
    """A new stream that begins a new session ends the one before."""
    fake.session["time_expires"] = "2100-01-01T00:00:00"
    reading = read()
    reading.streaming()
    reading.clock.now = reading.sessions.renew_at + 1
    reading.send(FIN)
    fake.wait_for(lambda: fake.of("logout"), PATIENCE)
    assert len(fake.of("login")) == 2


# Rotation


def test_when_a_rotation_begins(read: Read, prepared: list[Prepared]) -> None:
    """A rotation begins with the first bytes at the age that is set, not before."""
    reading = read(STREAM.but(body=(LIVE,)), rotate_after=LONG)
    reading.planned()
    reading.clock.now += LONG - 0.5
    reading.send(entry(1))
    assert not prepared
    reading.clock.now += 0.5
    reading.send(entry(2))
    assert len(prepared) == 1
    assert prepared[0].told[0] == "start"
    assert reading.sink.marks == [Mark.ROTATION_STARTED]


def test_no_rotation(read: Read, prepared: list[Prepared]) -> None:
    """With 0 a stream grows as old as the server lets it."""
    reading = read(rotate_after=0.0)
    reading.streaming()
    reading.clock.now += 1e9
    reading.send(entry(1), entry(2))
    assert not prepared
    assert reading.stats.rotate_at is None


def test_what_a_rotation_is_told(read: Read, prepared: list[Prepared]) -> None:
    """Heartbeats are no events; everything else is one, also a short event and a long comment."""
    reading = read(STREAM.but(body=(LIVE,)), rotate_after=LONG)
    reading.planned()
    reading.clock.now += LONG
    reading.send(entry(0))
    comments = {size: b":".ljust(size - 2, b"x") + b"\n\n" for size in (3, 64, 65)}
    for chunk in (comments[3], comments[64], comments[65], b"data: 1\n\n"):
        told = [] if chunk in (comments[3], comments[64]) else ["event"]
        prepared[0].told.clear()
        received = reading.stats.bytes + len(chunk)
        with reading.fake.changed:
            reading.fake.streams[0].hand(chunk)
        reading.until(partial(lambda wanted: reading.stats.bytes >= wanted, received))
        reading.send(entry(1))
        assert prepared[0].told == [*told, "event"]


def test_events_on_both_streams_are_told(read: Read, prepared: list[Prepared]) -> None:
    """Once the current stream has brought events of the next one, the rotation is told."""
    reading = read(STREAM.but(body=(LIVE,)), rotate_after=LONG)
    reading.planned()
    reading.clock.now += LONG
    reading.send(entry(0), entry(1))
    assert "caught up" not in prepared[0].told
    stream = [entry(number) for number in range(2, 40)]
    prepared[0].keys = [event_key(event) for event in read_events(stream, reading.sink.reject)]
    reading.send(*stream)
    reading.send(entry(99))
    assert "caught up" in prepared[0].told


def test_failed_rotation(read: Read, prepared: list[Prepared], caplog: pytest.LogCaptureFixture) -> None:
    """A rotation without a next stream is abandoned: it is logged, and tried again after a minute."""
    reading = read(rotate_after=LONG)
    failed = rotation(reading, prepared)
    failed.error = StreamBroken("stream: cut")
    reading.until(lambda: Mark.ROTATION_ABANDONED in reading.sink.marks)
    reading.until(lambda: "stream not renewed" in caplog.text)
    reading.clock.now += 59.5
    reading.send(entry(1), entry(2))
    assert len(prepared) == 1
    reading.clock.now += 0.5
    reading.until(lambda: len(prepared) == 2)
    # Outside of a rotation the same event may come twice.
    assert reading.sink.marks == [Mark.ROTATION_STARTED, Mark.ROTATION_ABANDONED, Mark.ROTATION_STARTED]
    assert not reading.disconnects


def next_stream(reading: Reading, *, age: float) -> OpenStream:
    stream = reading.subscription.open_second(reading.sessions.get())
    return stream._replace(opened_at=reading.clock.now - age)


def switched(reading: Reading, prepared: list[Prepared], *, age: float, planned: bool) -> Prepared:
    """Replace the stream by one of an age, after it was shut down, or after it broke."""
    one = prepared[0] if prepared else rotation(reading, prepared)
    one.stream = next_stream(reading, age=age)
    one.ready.set()
    connects = reading.stats.connects
    if planned:
        one.current.response.shutdown()
    else:
        with reading.fake.changed:
            reading.fake.streams[0].hand(FIN)
    reading.until(lambda: reading.stats.connects == connects + 1)
    reading.until(lambda: reading.stats.up)
    return one


def test_planned_switch(read: Read, prepared: list[Prepared]) -> None:
    """A stream that the rotation has shut down is replaced without a gap; that is its only disconnect."""
    reading = read(rotate_after=LONG)
    gap = reading.stats.gap_seconds
    one = switched(reading, prepared, age=1.0, planned=True)
    assert reading.disconnects == {"rotated": 1}
    assert reading.stats.events_lost == {"rotated": 0}
    assert reading.stats.gap_seconds == gap
    assert one.told[-1] == "ended"
    assert reading.sink.marks == [Mark.ROTATION_STARTED, Mark.ROTATION_SWITCHED]
    assert reading.retry.lifetimes == []
    assert not reading.subscription.single_connection


def test_switch_to_a_new_session(fake: Fake, read: Read, prepared: list[Prepared]) -> None:
    """Once no stream uses a session any more, it is logged out."""
    fake.session["time_expires"] = "2100-01-01T00:00:00"
    reading = read()
    reading.planned()
    reading.clock.now = reading.sessions.renew_at + 1
    switched(reading, prepared, age=1.0, planned=True)
    fake.wait_for(lambda: fake.of("logout"), PATIENCE)
    assert len(fake.of("login")) == 2


@pytest.mark.parametrize("was_cut", [False, True])
def test_cut_backlog(
    read: Read, prepared: list[Prepared], caplog: pytest.LogCaptureFixture, was_cut: bool
) -> None:
    """A stream that was shut down with a backlog is counted and logged, with what to do; others are not."""
    reading = read(rotate_after=LONG)
    rotation(reading, prepared).was_cut = was_cut
    switched(reading, prepared, age=1.0, planned=True)
    assert reading.stats.events_lost == {"rotated": int(was_cut)}
    assert ("backlog of the old stream lost" in caplog.text) is was_cut


@pytest.mark.parametrize(("age", "single"), [(4.5, True), (5.0, False)])
def test_stream_that_breaks_during_a_rotation(
    read: Read, prepared: list[Prepared], age: float, single: bool
) -> None:
    """The next stream takes over; if it has just been opened, it may be the cause of the break."""
    reading = read(rotate_after=LONG)
    switched(reading, prepared, age=age, planned=False)
    assert reading.disconnects == {"broken": 1}
    assert reading.subscription.single_connection is single
    assert reading.retry.lifetimes == []


def test_stream_that_breaks_without_a_next_one(
    read: Read, prepared: list[Prepared], caplog: pytest.LogCaptureFixture
) -> None:
    """A rotation that has no stream when the current one breaks is abandoned, and the reader reconnects."""
    reading = read(rotate_after=LONG)
    one = rotation(reading, prepared)
    one.ready.set()
    with reading.fake.changed:
        reading.fake.streams[0].hand(FIN)
    reading.streaming(2)
    assert reading.disconnects == {"broken": 1}
    assert reading.sink.marks == [Mark.ROTATION_STARTED, Mark.ROTATION_ABANDONED]
    assert "stream not renewed" not in caplog.text
    assert len(reading.retry.lifetimes) == 1


def test_stop_with_a_next_stream(
    read: Read, prepared: list[Prepared], caplog: pytest.LogCaptureFixture
) -> None:
    """A reader that is told to stop closes the next stream as well, and waits for nothing."""
    reading = read(rotate_after=LONG)
    one = rotation(reading, prepared)
    one.stream = next_stream(reading, age=1.0)
    next_chunks = one.stream.response.chunks()
    assert next(next_chunks)
    reading.stop()
    reading.until(lambda: not [t for t in threading.enumerate() if t.name == "stream watchdog"])
    assert reading.disconnects == {"stopped": 1}
    assert reading.retry.lifetimes == []
    assert "stream not renewed" not in caplog.text


def test_stop_during_a_rotation_that_failed(
    read: Read, prepared: list[Prepared], caplog: pytest.LogCaptureFixture
) -> None:
    """An error that the stop causes is none to report."""
    reading = read(rotate_after=LONG)
    one = rotation(reading, prepared)
    reading.reader.stop()
    one.error = StreamBroken("stream: the exporter is stopping")
    reading.stop()
    assert reading.disconnects == {"stopped": 1}
    assert "stream not renewed" not in caplog.text
    assert reading.retry.lifetimes == []
