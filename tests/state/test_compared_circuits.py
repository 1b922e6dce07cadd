"""Which circuits and which intervals the detection of units compares."""

from __future__ import annotations

import pytest

from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.observation import Observation
from pf_exporter.state.rate_evidence import RateEvidence
from pf_exporter.state.rate_units import (
    EVALUATE_EVERY,
    IDLE_EVENTS,
    IGNORED_EVENTS,
    MAX_CIRCUITS,
    MAX_INTERVAL,
    MIN_GROWTHS,
    MIN_INTERVAL,
    MIN_RATES,
    RateUnitDetector,
)

HOUR = 3600.0
"""Seconds after which a circuit is stale."""
BYTES = 1e6
"""Bytes per second of a busy circuit."""
LONG_ENOUGH = 20
"""Intervals of five seconds after which a circuit counts."""


class Events:
    """Sends events that have the received bytes only, so that each interval is one comparison."""

    def __init__(self) -> None:
        detector = RateUnitDetector()
        self._detector = detector
        self._observe = detector.observers["port|metrics"]

    def send(self, circuit: str, at: float | None, total: float, rate: float) -> None:
        values = (total, None, rate, None, *[None] * 4)
        self._observe(Observation(EVENTS["port|metrics"], (circuit,), (), values, at))

    def busy(self, circuit: str, at: float) -> None:
        self.send(circuit, at, BYTES * at, 8 * BYTES)

    def idle(self, circuit: str, at: float) -> None:
        self.send(circuit, at, 0.0, 0.0)

    @property
    def evidence(self) -> RateEvidence:
        return self._detector.results()[0].bytes


def names(count: int, prefix: str = "p") -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def test_the_first_evaluation() -> None:
    """The first event starts the comparison; each further one adds to it, until it is evaluated."""
    events = Events()
    for number in range(EVALUATE_EVERY):
        events.busy("p", 5.0 * number)
    assert events.evidence == RateEvidence()
    events.busy("p", 5.0 * EVALUATE_EVERY)
    assert events.evidence == RateEvidence(None, EVALUATE_EVERY, 1, 8.0)


@pytest.mark.parametrize(
    ("interval", "growths", "circuits"),
    [(6.0, MIN_GROWTHS, 1), (6.0, MIN_GROWTHS - 1, 0), (5.9, MIN_GROWTHS, 0)],
)
def test_circuits_that_count(interval: float, growths: int, circuits: int) -> None:
    """A circuit counts after ten growths of its total and a minute with traffic."""
    events = Events()
    for number in range(11):
        events.send("p", interval * number, BYTES * min(number, growths), 8 * BYTES)
    for number in range(EVALUATE_EVERY - 10 + 1):
        events.busy("too short", 5.0 * number)
    assert (events.evidence.comparisons, events.evidence.circuits) == (EVALUATE_EVERY, circuits)


@pytest.mark.parametrize(
    ("interval", "comparisons"),
    [(MIN_INTERVAL / 2, 20), (MIN_INTERVAL, 40), (MAX_INTERVAL, 40), (MAX_INTERVAL + 0.5, 0)],
)
def test_intervals(interval: float, comparisons: int) -> None:
    """Frequent events are combined into intervals of five seconds; too long intervals are ignored."""
    events = Events()
    for number in range(41):
        events.busy("p", interval * number)
    assert events.evidence.comparisons == comparisons


def test_a_clock_that_is_set_back() -> None:
    """An earlier timestamp starts the next interval; an equal one changes nothing."""
    events = Events()
    events.busy("p", 10_000.0)
    for number in range(EVALUATE_EVERY):
        events.busy("p", 5.0 * number)
        events.send("p", 5.0 * number, 0.0, 0.0)
    assert events.evidence == RateEvidence()
    events.busy("p", 5.0 * EVALUATE_EVERY)
    assert events.evidence == RateEvidence(None, EVALUATE_EVERY, 1, 8.0)


@pytest.mark.parametrize(
    ("growth", "rate", "is_compared"),
    [
        (5 * MIN_RATES[0], 0.0, True),
        (5 * MIN_RATES[0] - 1, 0.0, False),
        (0.0, MIN_RATES[0], True),
        (0.0, MIN_RATES[0] - 1, False),
        (-1.0, 8 * BYTES, False),
    ],
)
def test_traffic(growth: float, rate: float, is_compared: bool) -> None:
    """An interval is compared if its total or its rate shows enough traffic, and no total was reset."""
    events = Events()
    for number in range(EVALUATE_EVERY + 1):
        events.send("p", 5.0 * number, BYTES + growth * number, rate)
    for number in range(EVALUATE_EVERY + 1):
        events.busy("q", 5.0 * number)
    assert events.evidence.comparisons == EVALUATE_EVERY * (1 + is_compared)


def test_limit_of_circuits() -> None:
    """With more circuits than are compared, the first ones with traffic are."""
    events = Events()
    for number in range(LONG_ENOUGH):
        for name in names(MAX_CIRCUITS + 5):
            events.busy(name, 5.0 * number)
    assert events.evidence.circuits == MAX_CIRCUITS


def test_idle_circuits_leave_half_of_the_places() -> None:
    """Circuits without traffic take at most half of the places, so that others are compared at once."""
    events = Events()
    for name in names(MAX_CIRCUITS, "idle"):
        events.idle(name, 0.0)
    for number in range(LONG_ENOUGH):
        for name in names(MAX_CIRCUITS):
            events.busy(name, 5.0 * number)
    assert events.evidence.circuits == MAX_CIRCUITS // 2


def test_a_circuit_that_becomes_idle() -> None:
    """After enough events in a row without traffic, a circuit makes room for the next one."""
    events = Events()
    now = 0.0

    def interval(*, first_is_busy: bool, new: bool = False) -> int:
        """Send an event of each circuit, and return how many circuits count."""
        nonlocal now
        now += 5.0
        for name in names(MAX_CIRCUITS):
            (events.busy if first_is_busy or name != "p0" else events.idle)(name, now)
        if new:
            events.busy("new", now)
        return events.evidence.circuits

    for _ in range(LONG_ENOUGH):
        interval(first_is_busy=True)
    for _ in range(IDLE_EVENTS // 2):
        interval(first_is_busy=False)
    assert interval(first_is_busy=True) == MAX_CIRCUITS
    for _ in range(IDLE_EVENTS - 1):
        assert interval(first_is_busy=False, new=True) == MAX_CIRCUITS
    assert interval(first_is_busy=False, new=True) == MAX_CIRCUITS - 1
    for _ in range(LONG_ENOUGH):
        found = interval(first_is_busy=False, new=True)
    assert found == MAX_CIRCUITS


@pytest.mark.parametrize(
    ("events_without_traffic", "comparisons"), [(IDLE_EVENTS, 0), (IDLE_EVENTS - 1, EVALUATE_EVERY)]
)
def test_a_circuit_that_was_never_busy(events_without_traffic: int, comparisons: int) -> None:
    """The first event is no interval: the idle ones are counted from the second event on."""
    events = Events()
    for number in range(1 + events_without_traffic):
        events.idle("p", 5.0 * number)
    for number in range(EVALUATE_EVERY):
        events.busy("p", 5.0 * (1 + events_without_traffic + number))
    assert events.evidence.comparisons == comparisons


@pytest.mark.parametrize(
    ("ignored", "at", "comparisons"),
    [
        (IGNORED_EVENTS, HOUR + 1, EVALUATE_EVERY),
        (IGNORED_EVENTS - 1, HOUR + 1, 0),
        (IGNORED_EVENTS, HOUR, 0),
        (2 * IGNORED_EVENTS + 1, HOUR, 0),
    ],
)
def test_stale_circuits(ignored: int, at: float, comparisons: int) -> None:
    """Circuits without events for an hour make room, which is looked for at every 1,025th event of others."""
    events = Events()
    for name in names(MAX_CIRCUITS):
        events.busy(name, 0.0)
    for _ in range(ignored):
        events.busy("new", at)
    for number in range(EVALUATE_EVERY + 1):
        events.busy("new", at + 5.0 * number)
    assert events.evidence.comparisons == comparisons


def test_places_that_are_free_are_used() -> None:
    """After stale circuits were dropped, several new circuits are compared at once."""
    events = Events()
    for name in names(MAX_CIRCUITS):
        events.busy(name, 0.0)
    for _ in range(IGNORED_EVENTS):
        events.busy("new0", HOUR + 1)
    for number in range(LONG_ENOUGH):
        for name in names(MAX_CIRCUITS + 1, "new"):
            events.busy(name, HOUR + 1 + 5.0 * number)
    assert events.evidence.circuits == MAX_CIRCUITS


def test_events_without_time() -> None:
    """An event without a timestamp neither starts nor continues a comparison."""
    events = Events()
    for number in range(EVALUATE_EVERY):
        events.send("p", None, 0.0, 0.0)
        events.busy("p", 5.0 * number)
    assert events.evidence == RateEvidence()
