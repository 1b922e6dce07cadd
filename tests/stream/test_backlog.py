"""Rotation while the old stream has a backlog: it runs on until it has brought everything."""

from __future__ import annotations

import pytest

from pf_exporter.stream.drain import DrainLimits
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


@pytest.mark.no_cover
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
