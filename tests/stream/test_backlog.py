"""Rotation while the old stream has a backlog: it runs on until it has brought everything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from pf_exporter.errors import StreamBroken, StreamError
from pf_exporter.packetfabric.response import StreamingResponse
from pf_exporter.stream.held_stream import HeldStream
from pf_exporter.stream.rotation import DrainLimits
from tests.chain import PATIENT_DRAIN, Chain
from tests.conftest import until
from tests.fakes import OK, SILENCE, Fake
from tests.links import Link
from tests.stream.events import entry, settings


def rotations(chain: Chain, number: int) -> None:
    until(lambda: chain.stats.disconnects["rotated"] >= number, f"{number} renewals")


def test_backlog_on_a_slow_link(fake: Fake) -> None:
    """5,000 events that take seconds to arrive: each counts once, also those that come after the renewal."""
    with Link(fake.url, rate=200_000) as link:
        account = fake.account(api_url=link.url)
        with Chain(account, settings=settings(rotate_after=0.5), drain=PATIENT_DRAIN) as chain:
            until(lambda: fake.streams, "the first stream")
            fake.send(*map(entry, range(5000)))
            fake.wait_for(lambda: len(fake.of("open")) == 2)
            fake.send(*map(entry, range(5000, 5100)))
            assert chain.processed < 5000
            rotations(chain, 1)
            chain.wait_for_events(5100)
            fake.send(entry(5100))
            chain.wait_for_events(5101)
            assert chain.processed == 5101
            assert chain.stats.events_lost == {"rotated": 0}
            reasons = {reason for reason, count in chain.stats.disconnects.items() if count}
            assert reasons == {"rotated"}


def test_burst_on_a_fast_link(fake: Fake) -> None:
    """200,000 events at once, while streams are renewed all the time: each counts once."""
    # This process is the server as well: it may well pause for longer than other tests wait.
    limits = DrainLimits(overlap=0.05, quiet=10.0, deadline=300.0)
    with Chain(fake.account(), settings=settings(rotate_after=0.1), drain=limits) as chain:
        until(lambda: fake.streams, "the first stream")
        for number in range(200):
            with fake.changed:
                fake.wait_for(lambda: fake.streams)
                fake.send(b"".join(map(entry, range(1000 * number, 1000 * (number + 1)))))
        until(lambda: chain.processed >= 200_000, "all events", seconds=300)
        rotations(chain, 2)
        assert chain.processed == 200_000
        assert chain.stats.events_lost == {"rotated": 0}


def test_backlog_beyond_the_deadline(fake: Fake, caplog: pytest.LogCaptureFixture) -> None:
    """A stream that cannot catch up is cut at the deadline; that is counted and logged."""
    limits = DrainLimits(overlap=0.05, quiet=5.0, deadline=0.3)
    with Link(fake.url, rate=50_000) as link:
        account = fake.account(api_url=link.url)
        fake.script["open"] = [OK, OK, *[SILENCE] * 100]
        with Chain(account, settings=settings(rotate_after=0.5), drain=limits) as chain:
            until(lambda: fake.streams, "the first stream")
            fake.send(*map(entry, range(5000)))
            rotations(chain, 1)
            assert chain.stats.events_lost == {"rotated": 1}
            assert chain.processed < 5000
    lines = [vars(record)["fields"] for record in caplog.records if "backlog" in record.getMessage()]
    assert [line["account"] for line in lines] == ["default"]
    assert "CPU" in lines[0]["remedy"]


class Response:
    """A response whose chunks a test releases."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks
        self.paused = False
        self.pulled = 0
        self.last = threading.Event()

    def chunks(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self.pulled += 1
            yield chunk
        self.last.wait(60)
        raise StreamBroken("stream: reset")


def held(response: Response, **limits: Any) -> HeldStream:
    stream = HeldStream(cast(StreamingResponse, response), **limits)
    stream.read_first()
    threading.Thread(target=stream.run, daemon=True).start()
    return stream


def test_held_bytes_are_limited() -> None:
    """Beyond the limit the next stream is not read, and that does not count as silence."""
    response = Response(*[entry(number) for number in range(100)])
    stream = held(response, limit=3 * len(entry(1)))
    until(lambda: response.paused, "the limit")
    assert response.pulled == 3
    taken = [*stream.take_over()]
    assert taken == [entry(0), entry(1), entry(2)]
    assert not response.paused


def test_held_stream_that_breaks() -> None:
    """The reader gets what had arrived, then the error; keys of its events come in their order."""
    response = Response(entry(0), entry(1))
    stream = held(response)
    until(lambda: response.pulled == 2, "two events")
    response.last.set()
    taking = stream.take_over()
    assert [next(taking), next(taking)] == [entry(0), entry(1)]
    with pytest.raises(StreamError, match="reset"):
        next(taking)
    assert len(list(stream.take_keys())) == 2
    assert list(stream.take_keys()) == []
    stream.join()
