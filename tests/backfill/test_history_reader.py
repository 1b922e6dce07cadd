"""Requests for history: paced, and retried if that can help."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest

from pf_exporter.backfill.history_reader import ATTEMPTS, HistoryReader, Interrupted, Pace
from pf_exporter.backfill.time_range import TimeSpan
from pf_exporter.errors import ApiError, Forbidden, Rejected, Unauthorized, Unavailable
from pf_exporter.packetfabric.backoff import Backoff
from pf_exporter.packetfabric.client import Client
from pf_exporter.packetfabric.session import SessionManager
from pf_exporter.schema.resources.ports import PORTS
from tests.fakes import Answer, Fake, Step, answer

PATH = "/v2/metrics/ifd/rate/bps/PF-AP-1"
SPAN = TimeSpan(1_790_000_040.0, 1_790_086_440.0)
ROWS = answer(200, [[60, 1, 1, 1, 1, 1, 1]])


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as api:
        yield api


def reader(fake: Fake, pace: Pace | None = None) -> HistoryReader:
    client = Client(fake.account(), idle_timeout=5)
    manager = SessionManager(client, "default", schedule=Backoff(0.0, 0.0))
    return HistoryReader(client, manager, pace or Pace(1_000_000), Backoff(0.0, 0.01))


def test_what_is_asked_for(fake: Fake) -> None:
    """A request names the first and the last second in UTC, and rows of a minute."""
    fake.script[PATH] = [ROWS]
    assert reader(fake).read_history(PATH, SPAN) == [[60, 1, 1, 1, 1, 1, 1]]
    (request,) = fake.of(PATH)
    assert parse_qs(request.query) == {
        "start": ["2026-09-21 14:14:00"],
        "end": ["2026-09-22 14:13:59"],
        "interval": ["60"],
    }


@pytest.mark.parametrize(
    "steps",
    [
        [Answer(503), Answer(429), ROWS],
        [Answer(401), ROWS],
    ],
)
def test_repeated(fake: Fake, steps: list[Step]) -> None:
    """A server that cannot answer is asked again, and a session that has ended is replaced."""
    fake.script[PATH] = steps
    assert reader(fake).read_history(PATH, SPAN)
    assert len(fake.of(PATH)) == len(steps)


@pytest.mark.parametrize(
    ("status", "error", "attempts"),
    [(503, Unavailable, ATTEMPTS), (403, Forbidden, 1), (404, Rejected, 1), (401, Unauthorized, 2)],
)
def test_given_up(fake: Fake, status: int, error: type[ApiError], attempts: int) -> None:
    """A refusal is final; a server that cannot answer is asked a few times."""
    fake.script[PATH] = [Answer(status)] * 10
    with pytest.raises(error):
        reader(fake).read_history(PATH, SPAN)
    assert len(fake.of(PATH)) == attempts


def test_list(fake: Fake) -> None:
    """The objects of a list; anything else in it is left out."""
    port = {"port_circuit_id": "PF-AP-1"}
    fake.lists["/v2/ports"] = [port, "odd"]
    assert reader(fake).read_list(PORTS) == [port]


def test_pace() -> None:
    """Requests are a minute divided by their number apart; a stop ends the wait."""
    now = 0.0
    pace = Pace(2, lambda: now)
    pace.wait()

    def wait() -> None:
        with pytest.raises(Interrupted):
            pace.wait()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    pace.stop()
    waiting.join(60)
    assert not waiting.is_alive()
    now = 100.0
    with pytest.raises(Interrupted):
        pace.wait()
