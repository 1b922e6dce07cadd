"""Rotation: an open stream is replaced by the next one without losing or repeating events."""

from __future__ import annotations

import itertools
import threading
import time

import pytest

from pf_exporter.errors import ExporterError
from pf_exporter.state.stats import StreamState
from pf_exporter.stream.rotation import Rotation
from pf_exporter.stream.subscription import OpenStream
from tests.chain import PATIENT_DRAIN, Chain
from tests.conftest import until
from tests.fakes import (
    FIN,
    HEARTBEAT,
    LIVE,
    NOTHING_MORE,
    OK,
    SILENCE,
    STREAM,
    Answer,
    By,
    Fake,
    Part,
    Request,
)
from tests.stream.events import entry, sample, settings

LATER = [SILENCE] * 100
"""Steps for the openings of later rotations: none of them succeeds before the test has looked."""


class Sender:
    """Sends numbered activity log entries all the time, and counts them."""

    def __init__(self, fake: Fake) -> None:
        self._fake = fake
        self._stop = threading.Event()
        self.sent = 0
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.wait(0.002):
            with self._fake.changed:
                if self._fake.streams:
                    self._fake.send(entry(self.sent))
                    self.sent += 1

    def __enter__(self) -> Sender:
        self._thread.start()
        return self

    def wait_for(self, number: int) -> None:
        """Wait until so many have been sent."""
        until(lambda: self.sent >= number, f"{number} entries sent")

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def rotations(chain: Chain, number: int) -> None:
    until(lambda: chain.stats.disconnects["rotated"] >= number, f"{number} renewals")


def test_rotation_loses_and_repeats_nothing(fake: Fake) -> None:
    """Rotated five times a second under load: each event is counted once, and there is no gap."""
    with Chain(fake.account(), settings=settings(rotate_after=0.2), drain=PATIENT_DRAIN) as chain:
        until(lambda: chain.stats.up, "the first stream")
        with Sender(fake) as sender:
            gap = chain.stats.gap_seconds
            rotations(chain, 5)
            sender.wait_for(100)
        chain.wait_for_events(sender.sent)
        assert chain.processed == sender.sent
        assert chain.stats.gap_seconds == gap
        reasons = {reason: count for reason, count in chain.stats.disconnects.items() if count}
        assert reasons.keys() == {"rotated"}
        assert sum(chain.stats.rejected.values()) == 0
    assert len(fake.of("subscribe")) == len(fake.of("login")) == 1


def test_second_stream_is_refused(fake: Fake) -> None:
    """A subscription that allows one stream only: the next stream uses a new one, and nothing is lost."""
    seen: set[str] = set()

    def once(request: Request) -> Part:
        if request.path in seen:
            return Answer(409, {}, b'{"message": "already streaming"}')
        seen.add(request.path)
        return OK

    fake.script["open"] = itertools.repeat(By(once))
    with Chain(fake.account(), settings=settings(rotate_after=0.2), drain=PATIENT_DRAIN) as chain:
        until(lambda: fake.streams, "the first stream")
        with Sender(fake) as sender:
            rotations(chain, 3)
        chain.wait_for_events(sender.sent)
        assert chain.processed == sender.sent
    # One refusal is enough.
    assert len(fake.of("open")) - len(seen) == 1
    assert len(fake.of("login")) == 1


def test_second_stream_ends_the_first(fake: Fake) -> None:
    """A server closes the first stream: the second takes over, and the next one has a new subscription."""

    def kick(request: Request) -> Part:
        fake.send(FIN)
        return OK

    fake.script["open"] = [OK, By(kick)]
    with Chain(fake.account(), settings=settings(rotate_after=0.2)) as chain:
        until(lambda: chain.stats.connects >= 3, "two renewals")
        until(lambda: chain.stats.up, "a stream")
        assert chain.subscription.single_connection
    assert len(fake.of("login")) == 1
    first, second, *others = [request.path for request in fake.of("open")]
    assert first == second
    assert len({second, *others}) == 1 + len(others)


def test_failed_rotation_leaves_the_stream_open(fake: Fake) -> None:
    """With the API in trouble, the current stream stays open; nothing counts as a disconnect."""
    fake.script["open"] = [OK, Answer(500), NOTHING_MORE]
    with Chain(fake.account(), settings=settings(rotate_after=0.1)) as chain:
        fake.wait_for(lambda: len(fake.of("open")) == 2)
        fake.send(sample(1))
        chain.wait_for_events(1)
        assert chain.stats.up
        assert sum(chain.stats.disconnects.values()) == 0


def test_session_is_renewed_before_it_expires(fake: Fake) -> None:
    """At four fifths of its life: new login, subscription and stream; then the old session is logged out."""
    now = 1_700_000_000.0
    # A session of two seconds, however late the login is.
    fake.session["time_expires"] = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now + 2))
    with Chain(fake.account(), wall=lambda: now, drain=PATIENT_DRAIN) as chain:
        until(lambda: fake.streams, "the first stream")
        with Sender(fake) as sender:
            fake.wait_for(lambda: fake.of("logout"))
        chain.wait_for_events(sender.sent)
        assert chain.processed == sender.sent
        assert chain.stats.disconnects["rotated"] >= 1
        assert chain.stats.up
    first, *_ = fake.of("subscribe")
    assert fake.of("logout")[0].headers["authorization"] == first.headers["authorization"]


def test_stop_during_a_rotation(fake: Fake) -> None:
    """Neither the current stream nor the next one is left open."""
    fake.script["open"] = [OK, SILENCE]
    with Chain(fake.account(), settings=settings(rotate_after=0.1)):
        fake.wait_for(lambda: len(fake.of("open")) == 2)
    fake.wait_for(lambda: not fake.streams)
    until(lambda: not [t for t in threading.enumerate() if t.name.startswith("stream ")], "the threads' end")


def test_new_circuits_cause_a_rotation(fake: Fake) -> None:
    """A new circuit causes a rotation to a new subscription, without a gap."""
    with Chain(fake.account()) as chain:
        until(lambda: chain.stats.up, "a stream")
        chain.subscription.update_inventory(frozenset({"PF-AP-1"}))
        chain.subscription.update_inventory(frozenset({"PF-AP-1", "PF-AP-2"}))
        rotations(chain, 1)
        assert len(fake.of("subscribe")) == 2
        assert sum(chain.stats.disconnects.values()) == 1


def test_slow_next_stream_is_waited_for(fake: Fake) -> None:
    """The current stream breaks while the next is open but silent: the next one takes over."""
    gate = threading.Event()
    slow = STREAM.but(body=(gate.wait, HEARTBEAT, LIVE))
    fake.script["open"] = [OK, slow, *LATER]
    with Chain(fake.account(), settings=settings(rotate_after=0.1)) as chain:
        fake.wait_for(lambda: len(fake.of("open")) == 2)
        fake.send(FIN)
        until(lambda: chain.stats.state is not StreamState.STREAMING, "the broken connection")
        gate.set()
        until(lambda: chain.stats.up, "the second stream")
        fake.send(entry(1))
        chain.wait_for_events(1)
        assert len(fake.streams) == 1
        assert len(fake.of("login")) == 1


class PausedRotation:
    """Stops the thread of the first rotation that fails, right after it has handed over its result."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached = threading.Event()
        self.release = threading.Event()
        end = Rotation.end

        def paused(rotation: Rotation, stream: OpenStream | None, error: ExporterError | None = None) -> bool:
            is_wanted = end(rotation, stream, error)
            if stream is None and not self.reached.is_set():
                self.reached.set()
                assert self.release.wait(60)
            return is_wanted

        monkeypatch.setattr(Rotation, "end", paused)


def rotation_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.endswith(" next")]


def test_a_late_failed_rotation_leaves_a_newer_one_alone(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rotation whose thread runs on after the reader has started another one does not clear that one."""
    paused = PausedRotation(monkeypatch)
    gate = threading.Event()
    fake.script["open"] = [OK, Answer(503), OK, (gate.wait, OK), *LATER]
    with Chain(fake.account(), settings=settings(rotate_after=0.2)) as chain:
        assert paused.reached.wait(60)
        fake.send(FIN)  # the next stream comes without the rotation, which has failed
        fake.wait_for(lambda: len(fake.of("open")) == 4)  # the newer rotation
        paused.release.set()
        until(lambda: len(rotation_threads()) == 1, "the end of the late thread")
        gate.set()
        rotations(chain, 1)
        reasons = {reason: count for reason, count in chain.stats.disconnects.items() if count}
        assert reasons == {"broken": 1, "rotated": 1}


def test_a_cut_during_a_rotation_that_fails_counts_once(fake: Fake) -> None:
    """The stream breaks while the next one is opened, which fails: one disconnect, one reconnect."""
    gate = threading.Event()
    fake.script["open"] = [OK, (gate.wait, Answer(503)), OK, *LATER]
    with Chain(fake.account(), settings=settings(rotate_after=0.2)) as chain:
        fake.wait_for(lambda: len(fake.of("open")) == 2)
        fake.send(FIN)
        until(lambda: not chain.stats.up, "the broken connection")
        gate.set()
        until(lambda: chain.stats.up, "the next stream")
        reasons = {reason: count for reason, count in chain.stats.disconnects.items() if count}
        assert reasons == {"broken": 1}
