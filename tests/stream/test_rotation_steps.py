"""The steps of one rotation, each by itself, with a clock that stands still."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from pf_exporter.errors import StreamEnded, Unavailable
from pf_exporter.packetfabric.client import Client
from pf_exporter.packetfabric.session import SessionManager
from pf_exporter.stream.drain import DrainLimits
from pf_exporter.stream.rotation import Rotation
from pf_exporter.stream.subscription import OpenStream, Subscription
from tests.conftest import PATIENCE, until
from tests.fakes import OK, STREAM, Answer, Fake, Step
from tests.state.harness import Clock
from tests.stream.events import entry

LONG = 3600.0


class CountingClock(Clock):
    """Counts how often it is read."""

    reads = 0

    def __call__(self) -> float:
        self.reads += 1
        return self.now


class Steps:
    """An open stream and a rotation that replaces it, by default not within an hour."""

    def __init__(self, fake: Fake, *next_opening: Step, **limits: float) -> None:
        self.fake = fake
        fake.script["open"] = [OK, *next_opening]
        account = fake.account()
        client = Client(account, idle_timeout=PATIENCE)
        self.subscription = Subscription(account, client, SessionManager(client, account.name))
        self.current = self.subscription.open()
        self.clock = CountingClock()
        self.failures: list[BaseException] = []
        self.rotation = Rotation(
            self.subscription,
            self.current,
            account="a",
            limits=DrainLimits(**{"overlap": LONG, "quiet": LONG, "deadline": LONG, **limits}),
            on_failure=self.failures.append,
            clock=self.clock,
        )
        self.rotation.start()

    def next(self) -> OpenStream:
        stream = self.rotation.wait(PATIENCE)
        assert stream is not None
        return stream

    def ends(self) -> None:
        """Wait for the thread of the rotation."""
        self.until(lambda: "stream a next" not in {thread.name for thread in threading.enumerate()})

    def until(self, condition: Callable[[], object]) -> None:
        until(condition, "a step of the rotation")

    def close(self) -> None:
        self.rotation.current_ended()
        self.current.close()
        self.ends()
        assert not self.failures


@pytest.fixture
def rotate(fake: Fake) -> Iterator[Callable[..., Steps]]:
    started: list[Steps] = []

    def start(*next_opening: Step, **limits: float) -> Steps:
        started.append(Steps(fake, *(next_opening or (OK,)), **limits))
        return started[-1]

    yield start
    for steps in started:
        steps.close()


def test_next_stream_is_read_ahead(rotate: Callable[..., Steps]) -> None:
    """The next stream is read while the current one goes on; the key of each of its events comes once."""
    steps = rotate()
    stream = steps.next()
    keys: list[int] = []
    steps.fake.wait_for(lambda: len(steps.fake.streams) == 2, PATIENCE)
    steps.fake.send(entry(1), entry(2))

    def two_keys() -> bool:
        keys.extend(steps.rotation.take_keys())
        return len(keys) >= 2

    steps.until(two_keys)
    assert len(set(keys)) == len(keys) == 2
    assert steps.rotation.error is None
    assert not steps.current.response.was_shut_down
    stream.close()


def test_quiet_stream_is_shut_down(rotate: Callable[..., Steps]) -> None:
    """Without an event on the current stream for the quiet time, it is shut down as whole."""
    steps = rotate(quiet=0.0)
    steps.until(lambda: steps.current.response.was_shut_down)
    assert not steps.rotation.was_cut
    steps.next().close()


def test_a_stopped_process_does_not_end_the_current_stream(rotate: Callable[..., Steps]) -> None:
    """If the clock is an hour ahead after a step, the current stream has its quiet time again."""
    steps = rotate(quiet=0.5, deadline=2 * LONG)
    stream = steps.next()
    steps.until(lambda: steps.clock.reads >= 2)
    start = steps.clock.now
    steps.clock.now += LONG
    reads = steps.clock.reads
    steps.until(lambda: steps.clock.reads >= reads + 2)
    assert not steps.current.response.was_shut_down

    def shut_down_while_time_passes() -> bool:
        nonlocal reads
        if steps.clock.reads > reads:
            reads = steps.clock.reads
            steps.clock.now += 0.05
        return steps.current.response.was_shut_down

    steps.until(shut_down_while_time_passes)
    assert not steps.rotation.was_cut
    assert steps.clock.now - start == pytest.approx(LONG + 0.5, abs=0.1)
    stream.close()


def test_backlog_is_cut_at_the_deadline(rotate: Callable[..., Steps]) -> None:
    """At the deadline the current stream is shut down as a cut one."""
    steps = rotate(deadline=0.0)
    steps.until(lambda: steps.current.response.was_shut_down)
    assert steps.rotation.was_cut
    steps.next().close()


def test_catching_up_wakes_the_thread(rotate: Callable[..., Steps]) -> None:
    """An event of both streams ends the wait for silence at once."""
    steps = rotate(overlap=0.0)
    stream = steps.next()
    steps.rotation.caught_up(steps.clock.now)
    steps.until(lambda: steps.current.response.was_shut_down)
    assert not steps.rotation.was_cut
    stream.close()


def test_events_postpone_the_shutdown(rotate: Callable[..., Steps]) -> None:
    """An event keeps the current stream open for the quiet time; the thread waits, and does not spin."""
    steps = rotate(deadline=2 * LONG)
    stream = steps.next()
    steps.until(lambda: steps.clock.reads == 2)
    steps.clock.now += LONG - 1.0
    steps.rotation.event_received(steps.clock.now)
    steps.clock.now += 2.0
    steps.rotation.caught_up(steps.clock.now)  # wakes the thread, which looks at the clock
    steps.until(lambda: steps.clock.reads >= 3)
    steps.rotation.current_ended()
    steps.ends()
    assert steps.clock.reads == 3
    assert not steps.current.response.was_shut_down
    stream.close()


def test_early_wake_up(rotate: Callable[..., Steps]) -> None:
    """The clock counts, not how long the thread has waited."""
    steps = rotate(quiet=0.05)
    stream = steps.next()
    steps.until(lambda: steps.clock.reads >= 3)
    steps.rotation.current_ended()
    steps.ends()
    assert not steps.current.response.was_shut_down
    stream.close()


def test_end_of_the_current_stream_ends_the_rotation(rotate: Callable[..., Steps]) -> None:
    """If the current stream ends by itself, the thread ends without a shutdown."""
    steps = rotate()
    stream = steps.next()
    steps.rotation.current_ended()
    steps.ends()
    assert not steps.current.response.was_shut_down
    assert not steps.rotation.was_cut
    stream.close()


def test_next_stream_is_refused(rotate: Callable[..., Steps]) -> None:
    """Without a next stream there is an error instead, and the current stream stays open."""
    steps = rotate(Answer(503))
    assert steps.rotation.wait(PATIENCE) is None
    assert isinstance(steps.rotation.error, Unavailable)
    assert list(steps.rotation.take_keys()) == []
    steps.ends()
    assert not steps.current.response.was_shut_down


def test_next_stream_ends_before_its_first_byte(rotate: Callable[..., Steps]) -> None:
    """A next stream without a byte is none, and is closed."""
    steps = rotate(STREAM.but(body=()))
    assert steps.rotation.wait(PATIENCE) is None
    assert isinstance(steps.rotation.error, StreamEnded)
    steps.fake.wait_for(lambda: len(steps.fake.connections) == 1, PATIENCE)


def test_next_stream_comes_too_late(rotate: Callable[..., Steps]) -> None:
    """A next stream for which the reader no longer waits is closed, and the current one stays open."""
    gate = threading.Event()
    steps = rotate((gate.wait, OK), quiet=0.0)
    assert steps.rotation.wait(0.0) is None
    gate.set()
    steps.ends()
    steps.fake.wait_for(lambda: len(steps.fake.of("open")) == 2, PATIENCE)
    steps.fake.wait_for(lambda: len(steps.fake.connections) == 1, PATIENCE)
    assert steps.rotation.wait(0.0) is None
    assert not steps.current.response.was_shut_down
