"""Which events of a second stream are repeats of the first."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from pf_exporter.stream.deduplicator import (
    MAX_REMEMBERED,
    MIN_MATCHES,
    REPEAT_WINDOW,
    Deduplicator,
    event_key,
)
from tests.state.harness import Clock


class Event(NamedTuple):
    event: str
    data: str = "{}"


LOGIN, LOGOUT = Event("customer|auth", "login"), Event("customer|auth", "logout")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def deduplicator(clock: Clock) -> Deduplicator:
    return Deduplicator(clock=clock)


def repeats(deduplicator: Deduplicator, *events: Event) -> list[bool]:
    return [deduplicator.is_repeat(event) for event in events]


def test_without_a_rotation_nothing_is_a_repeat(deduplicator: Deduplicator) -> None:
    """The same event may come twice on one stream."""
    assert repeats(deduplicator, LOGIN, LOGIN) == [False, False]


def test_an_event_of_both_streams_counts_once(deduplicator: Deduplicator) -> None:
    """During a rotation each event of the old stream makes one of the new stream a repeat, and no more."""
    deduplicator.is_repeat(LOGIN)  # before the second stream was opened: it cannot be on both
    deduplicator.rotation_started()
    assert repeats(deduplicator, LOGIN, LOGOUT) == [False, False]
    deduplicator.rotation_switched()
    assert repeats(deduplicator, LOGIN, LOGOUT, LOGIN) == [True, True, False]


def test_an_event_that_came_twice_is_a_repeat_twice(deduplicator: Deduplicator) -> None:
    """Equal events are counted, not just remembered."""
    deduplicator.rotation_started()
    repeats(deduplicator, LOGIN, LOGIN)
    deduplicator.rotation_switched()
    assert repeats(deduplicator, LOGIN, LOGIN, LOGIN) == [True, True, False]


def test_name_and_data_both_count(deduplicator: Deduplicator) -> None:
    """Events with the same data but another name are different."""
    deduplicator.rotation_started()
    deduplicator.is_repeat(LOGIN)
    deduplicator.rotation_switched()
    assert not deduplicator.is_repeat(Event("customer|bgp", LOGIN.data))


def test_after_the_window_nothing_is_a_repeat(deduplicator: Deduplicator, clock: Clock) -> None:
    """The same event long after the switch, and long after the last repeat, is a new one."""
    deduplicator.rotation_started()
    repeats(deduplicator, LOGIN, LOGIN, LOGOUT)
    deduplicator.rotation_switched()
    for _ in range(2):
        clock.now += REPEAT_WINDOW
        assert deduplicator.is_repeat(LOGIN)
    clock.now += REPEAT_WINDOW + 1.0
    assert not deduplicator.is_repeat(LOGOUT)


ENTRIES = [Event("customer|auth", f"entry {number}") for number in range(MIN_MATCHES)]
KEYS = [event_key(entry) for entry in ENTRIES]


def test_old_events_that_the_new_stream_brings_later(deduplicator: Deduplicator) -> None:
    """The old stream has caught up as soon as the new one has brought enough events of it, not others."""
    deduplicator.rotation_started()
    repeats(deduplicator, *ENTRIES)
    caught_up = []
    for keys in ([event_key(LOGOUT)] * 5, KEYS[:-1], KEYS[-1:]):
        deduplicator.expect(keys)
        caught_up.append(deduplicator.has_caught_up)
    deduplicator.rotation_started()
    caught_up.append(deduplicator.has_caught_up)
    assert caught_up == [False, False, True, False]


def test_new_events_that_the_old_stream_brings_later(deduplicator: Deduplicator) -> None:
    """The old stream has caught up when it brings enough events that the new one has brought since."""
    deduplicator.expect(event_key(Event("customer|auth", f"{number}")) for number in range(5))
    deduplicator.rotation_started()
    deduplicator.expect(KEYS)
    caught_up = []
    for events in ([Event("customer|auth", f"{number}") for number in range(5)], ENTRIES[:-1], ENTRIES[-1:]):
        repeats(deduplicator, *events)
        caught_up.append(deduplicator.has_caught_up)
    assert caught_up == [False, False, True]


def test_a_common_event_proves_nothing(deduplicator: Deduplicator) -> None:
    """However often the same event comes on both streams, the old one may still have a backlog."""
    deduplicator.rotation_started()
    for _ in range(2 * MIN_MATCHES):
        deduplicator.expect([event_key(LOGIN)])
        repeats(deduplicator, LOGIN)
    assert not deduplicator.has_caught_up


def test_rotation_right_after_another(deduplicator: Deduplicator) -> None:
    """What the second stream repeats of the first is recognized also while it is replaced by a third."""
    deduplicator.rotation_started()
    repeats(deduplicator, LOGIN, LOGOUT)
    deduplicator.rotation_switched()
    deduplicator.rotation_started()
    assert repeats(deduplicator, LOGIN) == [True]
    deduplicator.rotation_switched()
    assert repeats(deduplicator, LOGIN, LOGOUT) == [True, False]


def test_memory_is_bounded(deduplicator: Deduplicator) -> None:
    """Of a backlog of any length the latest events are remembered, and only so many are expected."""
    deduplicator.rotation_started()
    for number in range(MAX_REMEMBERED + 2):
        deduplicator.is_repeat(Event("customer|auth", str(number)))
    deduplicator.expect(range(MAX_REMEMBERED))
    deduplicator.expect([event_key(Event("customer|auth", "5"))])
    deduplicator.rotation_switched()
    first, second, third = repeats(
        deduplicator, *(Event("customer|auth", str(number)) for number in (1, 2, MAX_REMEMBERED + 1))
    )
    assert (first, second, third) == (False, True, True)


def test_forgotten_events(deduplicator: Deduplicator) -> None:
    """Of an event that came twice, one is forgotten at a time; what is forgotten shows nothing."""
    deduplicator.rotation_started()
    repeats(deduplicator, *(Event("port|metrics", str(number)) for number in range(3)), LOGIN, LOGIN)
    for number in range(MAX_REMEMBERED - 1):
        deduplicator.is_repeat(Event("customer|auth", str(number)))
    deduplicator.expect(event_key(Event("port|metrics", str(number))) for number in range(3))
    assert not deduplicator.has_caught_up
    deduplicator.rotation_switched()
    assert repeats(deduplicator, LOGIN, LOGIN) == [True, False]


@pytest.mark.parametrize(("room", "has_caught_up"), [(MIN_MATCHES - 1, False), (MIN_MATCHES, True)])
def test_expected_events_are_bounded(deduplicator: Deduplicator, room: int, has_caught_up: bool) -> None:
    """Beyond the limit, events that the next stream brings are not expected."""
    both = [Event("port|metrics", str(number)) for number in range(MIN_MATCHES)]
    deduplicator.rotation_started()
    deduplicator.expect(range(MAX_REMEMBERED - room))
    deduplicator.expect(map(event_key, both))
    repeats(deduplicator, *both)
    assert deduplicator.has_caught_up is has_caught_up


def test_an_abandoned_rotation_is_forgotten(deduplicator: Deduplicator) -> None:
    """If there is no second stream after all, the same event again is a new one."""
    deduplicator.rotation_started()
    deduplicator.is_repeat(LOGIN)
    deduplicator.rotation_abandoned()
    assert not deduplicator.is_repeat(LOGIN)


def test_a_new_rotation_starts_from_nothing(deduplicator: Deduplicator) -> None:
    """Events left over from a rotation do not count in the next one."""
    deduplicator.rotation_started()
    deduplicator.is_repeat(LOGIN)
    deduplicator.rotation_switched()
    deduplicator.rotation_started()
    deduplicator.rotation_switched()
    assert not deduplicator.is_repeat(LOGIN)
