"""How long the reader waits after each kind of error."""

from __future__ import annotations

import pytest

from pf_exporter.config.settings import StreamSettings
from pf_exporter.errors import (
    ExporterError,
    StreamBroken,
    StreamEnded,
    SubscriptionGone,
    Unavailable,
)
from pf_exporter.stream.retry import HEALTHY_AFTER, RetrySchedule

ENDED, BROKEN, GONE = StreamEnded("ended"), StreamBroken("broken"), SubscriptionGone("gone")
HEALTHY, SHORT = HEALTHY_AFTER, HEALTHY_AFTER - 0.1


def schedule() -> RetrySchedule:
    return RetrySchedule(StreamSettings(backoff_min=1.0, backoff_max=60.0), jitter=lambda: 0.5)


def unavailable(retry_after: float | None = None) -> Unavailable:
    return Unavailable("unavailable", retry_after=retry_after)


@pytest.mark.parametrize(
    ("error", "lifetime", "delays"),
    [
        (unavailable(), None, [1.5, 2.5, 4.5]),
        (BROKEN, SHORT, [1.5, 2.5, 4.5]),
        (BROKEN, HEALTHY, [0.0, 0.0, 0.0]),
        (ENDED, SHORT, [0.0, 2.5, 4.5]),
        (ENDED, HEALTHY, [0.0, 0.0, 0.0]),
        (GONE, None, [0.0, 2.5, 4.5]),
    ],
)
def test_delays(error: ExporterError, lifetime: float | None, delays: list[float]) -> None:
    """Waits grow with each error in a row; after a healthy stream, or a planned end, there is none."""
    tested = schedule()
    assert [tested.delay(error, lifetime, 0.0) for _ in delays] == delays


def test_a_healthy_stream_starts_again() -> None:
    """After a healthy stream an error waits as long as a first one, whatever came before."""
    tested = schedule()
    assert [tested.delay(unavailable(), None, 0.0) for _ in range(3)] == [1.5, 2.5, 4.5]
    assert tested.delay(BROKEN, HEALTHY, 0.0) == 0.0
    assert tested.delay(unavailable(), None, 0.0) == 1.5
    assert tested.delay(ENDED, SHORT, 0.0) == 2.5


@pytest.mark.parametrize(
    ("retry_after", "login_delay", "delay"),
    [(None, 0.0, 1.5), (0.5, 0.1, 1.5), (90.0, 30.0, 90.0), (None, 30.0, 30.0)],
)
def test_requested_delays(retry_after: float | None, login_delay: float, delay: float) -> None:
    """The wait lasts at least as long as the server asks, and until the next login is allowed."""
    assert schedule().delay(unavailable(retry_after), None, login_delay) == delay


def test_a_stream_does_not_wait_for_logins() -> None:
    """The time of the next login is irrelevant for a stream that ended."""
    assert schedule().delay(BROKEN, SHORT, 30.0) == 1.5
