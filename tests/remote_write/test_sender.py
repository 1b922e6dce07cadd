"""The sender: order, retries, bad samples, age, and bad receivers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import pytest
from prometheus_client.samples import Sample

from pf_exporter.errors import ConfigError
from pf_exporter.packetfabric import Backoff
from pf_exporter.remote_write.batch import Batch, build_batch
from pf_exporter.remote_write.batch_queue import BatchQueue
from pf_exporter.remote_write.receiver import Receiver, TlsOptions
from pf_exporter.remote_write.sender import MAX_SPLITS, Sender
from pf_exporter.remote_write.series import Collected, SeriesEncoder
from pf_exporter.remote_write.stats import EndpointStats
from tests.conftest import until
from tests.remote_write.fake_receiver import FakeReceiver, Reply
from tests.remote_write.protocol import Decoded

BACKOFF = Backoff(0.01, 0.05)


def batch(numbers: Iterable[int], *, age: float = 0.0) -> Batch:
    """A batch of a sample for each number, named after it."""
    ms = round((time.time() - age) * 1000)
    samples = [Sample(f"m{number}", {}, float(number)) for number in numbers]
    series = SeriesEncoder({}, 1e9).collected(Collected(samples, ms))
    return build_batch(series, ms)


class Setup:
    """A sender, its queue and its numbers."""

    def __init__(self, url: str, max_age: float, wall: Callable[[], float]) -> None:
        self.stats = EndpointStats("main")
        self.queue = BatchQueue(1 << 20, self.stats.lost)
        self.headers: dict[str, str] = {}
        self.sender = Sender(
            self.queue,
            Receiver(url, TlsOptions()),
            lambda: self.headers,
            self.stats,
            max_age=max_age,
            backoff=BACKOFF,
            wall=wall,
        )
        self.thread = threading.Thread(target=self.sender.run)

    def finish(self) -> None:
        """Wait until everything is sent or lost."""
        self.queue.close()
        self.thread.join(60)
        assert not self.thread.is_alive()


@contextmanager
def sending(
    fake: FakeReceiver,
    *batches: Batch,
    max_age: float = 7200.0,
    wall: Callable[[], float] = time.time,
) -> Iterator[Setup]:
    setup = Setup(fake.url, max_age, wall)
    for item in batches:
        setup.queue.put(item)
    setup.thread.start()
    try:
        yield setup
    finally:
        setup.sender.stop()
        setup.thread.join(60)
        assert not setup.thread.is_alive()


def names(samples: Iterable[Decoded]) -> list[int]:
    return [int(sample.name[1:]) for sample in samples]


def test_order() -> None:
    """Batches are sent one after the other, in order, with what is counted about them."""
    with FakeReceiver() as fake:
        first, second = batch(range(3)), batch(range(3, 5))
        with sending(fake, first, second) as setup:
            setup.finish()
        assert names(fake.samples) == [0, 1, 2, 3, 4]
        assert [len(request.samples) for request in fake.requests] == [3, 2]
    stats = setup.stats
    assert (stats.samples, stats.bytes) == (5, len(first.body) + len(second.body))
    assert stats.highest_sent == second.newest_ms / 1000
    assert stats.failure is None
    assert sum(stats.failed.values()) + sum(stats.dropped.values()) == 0


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (Reply(500), "HTTP 500"),
        (Reply(503, {"Retry-After": "0"}), "HTTP 503"),
        (Reply(429, {"Retry-After": "0"}), "HTTP 429; the receiver limits the rate"),
        (Reply(401), "HTTP 401; check the credentials"),
        (Reply(302, {"Location": "/elsewhere"}), "HTTP 302; redirects are not followed, check url"),
        (Reply(200, {"Content-Type": "text/html"}, b"<html>"), "the response is a web page; check url"),
        (Reply(closes=True), "connection closed by the server"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_failures_are_retried(reply: Reply, problem: str) -> None:
    """What may pass is sent again until it does; the batch behind it waits."""
    with FakeReceiver() as fake:
        replies = iter([reply, reply])
        failures: list[str] = []

        def answer(samples: list[Decoded]) -> Reply:
            if setup.stats.failure is not None:
                failures.append(setup.stats.failure.message)
            return next(replies, Reply())

        with sending(fake) as setup:
            fake.answer = answer
            setup.queue.put(batch([1]))
            setup.queue.put(batch([2]))
            setup.finish()
        assert names(sample for request in fake.requests for sample in request.samples) == [1, 1, 1, 2]
    assert failures == [problem, problem]
    assert setup.stats.samples == 2
    assert setup.stats.failure is None


def test_connection_refused(caplog: pytest.LogCaptureFixture) -> None:
    """A receiver that is away is tried until it returns, here never: the failure says why, the log where."""
    with FakeReceiver() as fake:
        pass
    with sending(fake, batch([1])) as setup:
        until(lambda: setup.stats.failure, "a failure")
        assert setup.stats.failure is not None
        assert setup.stats.failure.message == "Connection refused"
        address = fake.url.split("/")[2]
        until(lambda: f"{address}: Connection refused" in str(caplog.records[-1].__dict__), "the log")
    assert setup.queue.samples == 1


def test_retry_after() -> None:
    """The sender waits as long as the receiver asks, and a stop ends that wait."""
    with FakeReceiver() as fake:
        fake.answer = lambda samples: Reply(503, {"Retry-After": "600"})
        with sending(fake, batch([1])) as setup:
            until(lambda: fake.requests, "a request")
            setup.thread.join(0.3)
            assert setup.thread.is_alive()
            assert len(fake.requests) == 1
    assert setup.queue.samples == 1


@pytest.mark.parametrize("bad", [{0}, {7}, {15}, {3, 4, 11}, set(range(16))])
def test_bad_samples_are_found(bad: set[int]) -> None:
    """Refused samples are found by halves, dropped and counted; the others arrive in order."""
    with FakeReceiver() as fake:
        fake.answer = lambda samples: Reply(400) if bad.intersection(names(samples)) else Reply()
        with sending(fake, batch(range(16)), batch([16])) as setup:
            setup.finish()
        assert names(fake.samples) == [number for number in range(17) if number not in bad]
    assert setup.stats.failed == {"rejected": len(bad)}
    assert setup.stats.samples == 17 - len(bad)


def test_too_large() -> None:
    """A request that is too large is split until it fits, without a loss."""
    with FakeReceiver() as fake:
        fake.answer = lambda samples: Reply(413) if len(samples) > 5 else Reply()
        with sending(fake, batch(range(40))) as setup:
            setup.finish()
        assert names(fake.samples) == list(range(40))
    assert setup.stats.failed == {"rejected": 0}


def test_splits_are_bounded() -> None:
    """A receiver that refuses everything causes a limited number of requests."""
    with FakeReceiver() as fake:
        fake.answer = lambda samples: Reply(400)
        with sending(fake, batch(range(2000))) as setup:
            setup.finish()
        assert len(fake.requests) <= 2 * MAX_SPLITS + 1
    assert setup.stats.failed == {"rejected": 2000}


def test_max_age() -> None:
    """A batch that the receiver answers with 500 for ever is dropped when it is too old; others follow."""
    now = time.time()

    def answer(samples: list[Decoded]) -> Reply:
        nonlocal now
        if 1 not in names(samples):
            return Reply()
        now += 4.0
        return Reply(500)

    with FakeReceiver() as fake:
        fake.answer = answer
        with sending(fake, batch([1]), batch([2], age=-20.0), max_age=10.0, wall=lambda: now) as setup:
            setup.finish()
        assert names(fake.samples) == [2]
        assert len(fake.requests) == 4
    assert setup.stats.dropped["too_old"] == 1


def test_unreadable_secret() -> None:
    """A secret that cannot be read is a failure that may pass."""
    with FakeReceiver() as fake:
        with sending(fake) as setup:
            problems = iter([ConfigError(["password_file: the file cannot be read"])])

            def headers() -> dict[str, str]:
                for problem in problems:
                    raise problem
                return {}

            setup.sender = Sender(
                setup.queue,
                Receiver(fake.url, TlsOptions()),
                headers,
                setup.stats,
                max_age=7200.0,
                backoff=BACKOFF,
            )
            other = threading.Thread(target=setup.sender.run)
            setup.finish()
            setup.queue.put(batch([1]))
            other.start()
            other.join(60)
        assert names(fake.samples) == [1]
