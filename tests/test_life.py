"""An account's pipeline against a server that fails in random order."""

from __future__ import annotations

import itertools
import threading

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pf_exporter.metrics.exporter_collector import EXPORTER_METRICS
from tests.chain import SETTINGS, Chain
from tests.conftest import until
from tests.fakes import FIN, RST, STREAM, Answer, Fake, Piece, Step, event
from tests.matrix import MATRIX

BACKOFF = SETTINGS.backoff_min
# Wrong responses to a login, a subscription or the opening of a stream.
REFUSALS: list[Step] = [
    *(fault.step for fault in MATRIX if fault.phase == "open" and "compresses" not in fault.what),
    STREAM.but(body=()),
    Answer(503, {"Retry-After": "0"}),
    Answer(429, {"Retry-After": "nonsense"}),
    Answer(429, {"Retry-After": "-5"}),
    Answer(429, {"Retry-After": "Thu, 01 Jan 1970 00:00:00 GMT"}),
]


class Life(RuleBasedStateMachine):
    """Rules are what the server does; after each the exporter streams again and counts every event."""

    def __init__(self) -> None:
        super().__init__()
        self.fake = Fake(heartbeat=0.05).__enter__()
        self.chain = Chain(self.fake.account()).__enter__()
        self.sent = 0
        self.counters: dict[tuple[str, ...], float] = {}
        self.wait_for_stream()

    def wait_for_stream(self) -> None:
        """Wait until exactly one stream is open and has brought bytes."""
        until(lambda: len(self.fake.streams) == 1 and self.chain.stats.up, "a stream")

    def teardown(self) -> None:
        self.chain.__exit__(None, None, None)
        self.fake.__exit__(None, None, None)
        until(
            lambda: not [t for t in threading.enumerate() if t.name.startswith("stream ")], "no thread left"
        )

    @rule(number=st.integers(1, 5))
    def events(self, number: int) -> None:
        """No event is lost while a stream is open."""
        before = self.chain.processed
        for _ in range(number):
            self.sent += 1
            self.fake.send(event("customer|auth", {"log_level": "info", "message": str(self.sent)}))
        self.chain.wait_for_events(before + number)
        assert self.chain.processed == before + number

    @rule(
        end=st.sampled_from([FIN, RST]),
        phase=st.sampled_from(["login", "subscribe", "open"]),
        refusals=st.lists(st.sampled_from(REFUSALS), max_size=3),
        forget=st.sampled_from(["nothing", "subscriptions", "sessions"]),
    )
    def end(self, end: Piece, phase: str, refusals: list[Step], forget: str) -> None:
        """The stream ends; the server forgets something and refuses a few times before it recovers."""
        opened = self.chain.stats.connects
        with self.fake.changed:
            self.fake.script[phase] = refusals
            if forget != "nothing":
                self.fake.subscriptions.clear()
            if forget == "sessions":
                self.fake.sessions.clear()
            self.fake.send(end)
        until(lambda: self.chain.stats.connects > opened, "a new stream")
        self.wait_for_stream()

    @precondition(lambda self: self.sent)
    @rule()
    def garbage(self) -> None:
        """Unusable events do not end the stream."""
        opened = self.chain.stats.connects
        before = self.chain.processed
        self.fake.send(b"event: port|metrics\ndata: {\n\n", event("port|metrics", [1]), b"\xff\xfe\n\n")
        self.chain.wait_for_events(before + 2)
        assert self.chain.stats.connects == opened

    @invariant()
    def one_login_at_a_time(self) -> None:
        """There are never two logins or two requests for a subscription at once."""
        assert self.fake.most["login"] <= 1
        assert self.fake.most["subscribe"] <= 1

    @invariant()
    def no_hot_loop(self) -> None:
        """No stream here lives long enough to reset the backoff: only the first retry may be immediate."""
        for phase in ("login", "subscribe", "open"):
            at = [request.at for request in self.fake.of(phase)]
            gaps = [later - earlier for earlier, later in itertools.pairwise(at)]
            assert sum(gap < BACKOFF * 0.9 for gap in gaps) <= 1

    @invariant()
    def counters_never_decrease(self) -> None:
        """No counter decreases or disappears, in whatever order things happen."""
        counters = {
            (own.name, *labels): value
            for own in EXPORTER_METRICS
            if own.type == "counter"
            for labels, value in own.read(self.chain.stats).items()
        }
        assert [key for key, value in self.counters.items() if counters.get(key, -1) < value] == []
        self.counters = counters


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=12, stateful_step_count=8, suppress_health_check=list(HealthCheck))
