"""When the current stream is shut down in a rotation."""

from __future__ import annotations

import pytest

from pf_exporter.config.settings import StreamSettings
from pf_exporter.stream.drain import Drain, DrainLimits

LIMITS = DrainLimits(overlap=1.0, quiet=5.0, deadline=300.0)


@pytest.fixture
def drain() -> Drain:
    """The next stream opened at 1000 s."""
    drain = Drain(LIMITS)
    drain.event_received(990.0)
    drain.start(1000.0)
    return drain


def test_a_quiet_stream_ends_soon(drain: Drain) -> None:
    """Without an event the current stream runs on for the quiet time, from the opening of the next."""
    assert drain.ends_at == 1005.0
    assert not drain.cuts_backlog


def test_an_event_extends_the_quiet_time(drain: Drain) -> None:
    """The quiet time begins again with each event, also if the other thread notes the opening late."""
    drain.event_received(1003.0)
    assert drain.ends_at == 1008.0


def test_a_stopped_process_is_no_silence(drain: Drain) -> None:
    """Time in which the process did not run does not count as quiet, but an event ends its effect."""
    drain.stopped(30.0)
    assert drain.ends_at == 1035.0
    drain.event_received(1031.0)
    assert drain.ends_at == 1036.0


def test_a_stopped_process_is_noticed(drain: Drain) -> None:
    """There are several looks at the clock within the quiet time."""
    assert drain.step == 1.0


def test_events_on_both_streams_end_the_wait(drain: Drain) -> None:
    """From the first event that both brought, only the overlap is left; later ones do not extend it."""
    drain.event_received(1002.0)
    assert drain.caught_up(1002.0)
    assert drain.ends_at == 1003.0
    drain.event_received(1002.5)
    assert not drain.caught_up(1002.5)
    assert drain.ends_at == 1003.0


def test_catching_up_does_not_extend_the_quiet_time(drain: Drain) -> None:
    """A stream that is already quiet ends at the end of its quiet time."""
    drain.caught_up(1004.5)
    assert drain.ends_at == 1005.0


def test_the_deadline_cuts_a_backlog(drain: Drain) -> None:
    """A stream that always brings events and never catches up ends at the deadline, as a cut one."""
    drain.event_received(1295.0)
    assert (drain.ends_at, drain.cuts_backlog) == (1300.0, False)
    drain.event_received(1296.0)
    assert (drain.ends_at, drain.cuts_backlog) == (1300.0, True)


def test_a_stream_that_caught_up_before_the_deadline_is_not_cut(drain: Drain) -> None:
    """Events up to the end mean no backlog if both streams bring them."""
    drain.caught_up(1298.0)
    drain.event_received(1299.0)
    assert (drain.ends_at, drain.cuts_backlog) == (1299.0, False)


def test_the_default_deadline_is_before_the_end_of_the_stream() -> None:
    """PacketFabric ends a stream after two hours: at the default age there is time for the whole drain."""
    limits = DrainLimits()
    assert StreamSettings().rotate_after + limits.deadline <= 2 * 3600
    assert limits.overlap < limits.quiet < limits.deadline
