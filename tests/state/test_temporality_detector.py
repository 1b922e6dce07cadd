"""Cumulative and delta counters are told apart by how they change."""

from __future__ import annotations

import random
import threading
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pf_exporter.config.settings import SETTINGS
from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.observation import Numbers
from pf_exporter.schema.temporality import Temporality
from pf_exporter.state.temporality_detector import (
    CUMULATIVE_MAX_DROPS,
    DELTA_MIN_DROPS,
    FINAL_CHANGES,
    MIN_CHANGES,
    MIN_CHANGES_PER_PORT,
    DetectedTemporality,
    TemporalityDetector,
)

ERRORS, ETHERSTATS = EVENTS["port|errors"], EVENTS["port|etherstats"]


def results(series: dict[str, list[Numbers]]) -> list[DetectedTemporality]:
    """The result after each event, where the ports' events alternate."""
    detector = TemporalityDetector()
    found = []
    for round in zip(*series.values(), strict=True):
        for port, values in zip(series, round, strict=True):
            detector.observe(ERRORS, (port,), values)
            found.append(detector.result("port|errors"))
    return found


def temporalities(series: dict[str, list[Numbers]]) -> set[Temporality | None]:
    return {result.temporality for result in results(series)}


def poisson(chance: random.Random, mean: float) -> int:
    """A random number of occurrences in an interval."""
    return (
        sum(chance.expovariate(1) < mean / 50 for _ in range(50))
        if mean < 50
        else int(max(0, chance.gauss(mean, mean**0.5)))
    )


def intervals(chance: random.Random, means: list[float], length: int) -> Iterator[Numbers]:
    """Delta counters of one port, one row per interval."""
    for _ in range(length):
        yield tuple(float(poisson(chance, mean)) for mean in means)


def totals(chance: random.Random, means: list[float], length: int, reset: float) -> Iterator[Numbers]:
    """The same as cumulative counters, all of which restart from zero now and then."""
    sums = [float(chance.randrange(10**6)) * (mean > 0) for mean in means]
    since = 0
    for values in intervals(chance, means, length):
        changed = any(values)
        since += changed
        if since > 8 and chance.random() < reset:
            sums = [0.0] * len(sums)
            since = 0
        sums = [total + (value or 0) for total, value in zip(sums, values, strict=True)]
        yield tuple(sums)


MEANS = st.lists(st.sampled_from([0.0, 0.02, 0.1, 0.5, 2.0, 30.0, 1e3, 1e6]), min_size=1, max_size=6)


@settings(max_examples=150)
@given(st.integers(), MEANS, st.integers(1, 5), st.sampled_from([0.0, 0.01, 0.1]))
def test_cumulative_counters_are_never_taken_for_deltas(
    seed: int, means: list[float], ports: int, reset: float
) -> None:
    """Cumulative counters are never detected as deltas, however often a port restarts."""
    chance = random.Random(seed)
    series = {str(port): list(totals(chance, means, 120, reset)) for port in range(ports)}
    assert Temporality.DELTA not in temporalities(series)


@settings(max_examples=150)
@given(st.integers(), MEANS, st.integers(1, 5))
def test_deltas_are_never_taken_for_cumulative_counters(seed: int, means: list[float], ports: int) -> None:
    """Deltas are never detected as cumulative counters, whenever the result is read."""
    chance = random.Random(seed)
    series = {str(port): list(intervals(chance, means, 120)) for port in range(ports)}
    assert Temporality.CUMULATIVE not in temporalities(series)


@pytest.mark.parametrize("mean", [0.1, 2.0, 1e6])
@pytest.mark.parametrize("ports", [1, 20])
def test_enough_events_give_a_result(mean: float, ports: int) -> None:
    """After some hundred events both are detected, of rare errors and of busy packet counters."""
    chance = random.Random(11)
    for temporality, series in (
        (Temporality.DELTA, {str(port): list(intervals(chance, [mean, 0.0], 600)) for port in range(ports)}),
        (
            Temporality.CUMULATIVE,
            {str(port): list(totals(chance, [mean, 0.0], 600, 0.0)) for port in range(ports)},
        ),
    ):
        assert results(series)[-1].temporality is temporality


def test_a_router_restart_is_no_delta() -> None:
    """All ports of a router restart at once while errors are rare: the counters are still cumulative."""
    series: dict[str, list[Numbers]] = {}
    for port in range(50):
        changes = 20 if port == 0 else port % 8
        before = [(float(100 + min(step, changes)), 5.0) for step in range(20)]
        series[str(port)] = [*before, (0.0, 0.0), *((float(min(step, changes)), 0.0) for step in range(20))]
    found = [result.temporality for result in results(series)]
    assert Temporality.DELTA not in found
    assert found[-1] is Temporality.CUMULATIVE


def test_an_incident_on_all_ports_is_not_cumulative() -> None:
    """Deltas that become nonzero on all ports at once, and grow for a while, are not taken for cumulative."""
    burst = [0.0, 0.0, 3.0, 9.0, 20.0, 31.0, 12.0, 0.0, 0.0]
    series: dict[str, list[Numbers]] = {str(port): [(count,) for count in burst] for port in range(100)}
    assert Temporality.CUMULATIVE not in temporalities(series)


def test_repeated_events_and_absent_values_are_no_changes() -> None:
    """A repeated event is no change, and an absent value is neither an increase nor a decrease."""
    detector = TemporalityDetector()
    for step in range(100):
        for _ in range(3):
            detector.observe(ERRORS, ("a",), (float(step), None if step % 2 else 1e9, None))
    result = detector.result("port|errors")
    assert result.temporality is Temporality.CUMULATIVE
    assert result.evidence == "98 changes of 1 field on 1 port: 98 increases, no decreases."


def test_a_few_events_out_of_order_do_not_matter() -> None:
    """A few late samples change the result neither for cumulative counters nor for deltas."""
    chance = random.Random(4)
    steps = [float(step) for step in range(400)]
    for index in range(0, 400, 20):
        steps[index], steps[index + 1] = steps[index + 1], steps[index]
    assert results({"a": [(step,) for step in steps]})[-1].temporality is Temporality.CUMULATIVE
    noise: list[Numbers] = [(float(chance.randrange(1000)),) for _ in range(400)]
    assert results({"a": noise})[-1].temporality is Temporality.DELTA


def test_evidence_is_one_sentence() -> None:
    """Each result names its setting and gives its evidence in one sentence, also without a result."""
    detector = TemporalityDetector()
    assert detector.result("port|etherstats") == DetectedTemporality(
        "port|etherstats", "counters.port_etherstats", None, "No events yet."
    )
    detector.observe(ETHERSTATS, ("a",), (0.0, 0.0))
    detector.observe(ETHERSTATS, ("b",), (0.0, 0.0))
    detector.observe(ETHERSTATS, ("b",), (0.0, 1.0))
    assert detector.result("port|etherstats").evidence == "No counter has changed twice yet on 2 ports."
    detector.observe(ETHERSTATS, ("b",), (0.0, 2.0))
    assert detector.result("port|etherstats").evidence == (
        "Only 1 repeated change so far on 2 ports; 20 are needed, on ports with at least 5 each."
    )
    for step in range(MIN_CHANGES):
        detector.observe(ETHERSTATS, ("b",), (float(step % 2), 5.0))
    result = detector.result("port|etherstats")
    assert result.evidence == "20 changes of 2 fields on 1 port: 11 increases, 9 decreases."
    assert result.temporality is Temporality.DELTA
    assert detector.results() == (detector.result("port|errors"), result)


def test_between_the_limits_there_is_no_result() -> None:
    """Counters that decrease in one change of five could be either."""
    steps = [float(step - 3 * (step // 5)) for step in range(200)]
    result = results({"a": [(step,) for step in steps]})[-1]
    assert result.temporality is None
    assert result.evidence == "198 changes of 1 field on 1 port: 159 increases, 39 decreases."


@pytest.mark.parametrize(
    ("changes", "drops", "temporality"),
    [
        (19, 0, None),
        (20, 0, Temporality.CUMULATIVE),
        (20, 2, Temporality.CUMULATIVE),
        (20, 3, None),
        (20, 6, None),
        (21, 7, Temporality.DELTA),
        (20, 7, Temporality.DELTA),
    ],
)
def test_limits_of_a_result(changes: int, drops: int, temporality: Temporality | None) -> None:
    """From 20 changes on there is a result: with at most a tenth, or at least a third, of decreases."""
    steps = [0.0, 1.0]
    for number in range(changes):
        steps.append(steps[-1] + (-1 if number < drops else 1))
    result = results({"a": [(7.0, step) for step in steps]})[-1]
    assert result.temporality is temporality
    if changes >= 20:
        assert result.evidence.startswith(
            f"{changes} changes of 1 field on 1 port: {changes - drops} increase"
        )


def test_ports_with_few_changes_do_not_count() -> None:
    """A port counts from its fifth change on, and only the first 100 ports are observed."""
    detector = TemporalityDetector()
    for port in range(101):
        for step in range(8 if port < 4 else 6):
            detector.observe(ERRORS, (f"{port}",), (float(step),))
    assert detector.result("port|errors").evidence == (
        "24 changes of 1 field on 4 ports: 24 increases, no decreases."
    )
    detector.observe(ERRORS, ("99",), (6.0,))
    detector.observe(ERRORS, ("100",), (6.0,))
    assert detector.result("port|errors").evidence == (
        "29 changes of 1 field on 5 ports: 29 increases, no decreases."
    )


@pytest.mark.parametrize("temporality", [*Temporality, None])
@pytest.mark.parametrize("configured", list(Temporality))
def test_only_a_contradiction_disagrees(temporality: Temporality | None, configured: Temporality) -> None:
    """A setting disagrees only with the other temporality, never with an unknown one."""
    result = DetectedTemporality("port|errors", "counters.port_errors", temporality, "")
    assert result.agrees_with(configured) is (temporality in (configured, None))


def test_every_setting_has_a_result() -> None:
    """The detector observes exactly the events whose temporality is a setting."""
    wanted = [setting.key for setting in SETTINGS if setting.key.startswith("counters.")]
    assert [result.setting for result in TemporalityDetector().results()] == wanted


def test_events_without_a_setting_are_ignored() -> None:
    """Rates and readings go up and down, and the API documents the byte totals as cumulative."""
    detector = TemporalityDetector()
    for step in range(100):
        detector.observe(EVENTS["port|metrics"], ("a",), (float(step),) * 8)
    assert {result.evidence for result in detector.results()} == {"No events yet."}
    with pytest.raises(KeyError):
        detector.result("port|metrics")


def test_memory_is_bounded() -> None:
    """At most the given number of ports is observed."""
    tracemalloc.start()
    try:
        detector = TemporalityDetector(max_ports=10)
        for step in range(2):
            for port in range(20_000):
                detector.observe(ERRORS, (f"port {port}",), (float(step),))
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()
    assert detector.result("port|errors").evidence == "No counter has changed twice yet on 10 ports."


def test_a_result_becomes_final() -> None:
    """After enough changes the result no longer changes, and the event is no longer observed."""
    detector = TemporalityDetector()
    for step in range(FINAL_CHANGES + 2):
        detector.observe(ERRORS, ("a",), (float(step),))
    result = detector.result("port|errors")
    assert (
        result.evidence
        == f"{FINAL_CHANGES} changes of 1 field on 1 port: {FINAL_CHANGES} increases, no decreases."
    )
    assert "port|errors" not in detector.observed
    for step in range(FINAL_CHANGES):
        detector.observe(ERRORS, ("a",), (float(step % 2),))
    assert detector.result("port|errors") is result


def test_results_can_be_read_while_another_thread_observes() -> None:
    """A result can be read at any time."""
    detector = TemporalityDetector(max_ports=100_000)
    done = threading.Event()

    def observe() -> None:
        for port in range(50_000):
            detector.observe(ERRORS, (str(port),), (0.0,))
        done.set()

    thread = threading.Thread(target=observe)
    thread.start()
    reads = 0
    while not done.is_set():
        assert detector.result("port|errors").temporality is None
        reads += 1
    thread.join()
    assert reads > 0


def test_one_decrease_of_a_port_gives_no_result() -> None:
    """One decrease of a port with just enough changes is inconclusive in both directions."""
    assert 0 < CUMULATIVE_MAX_DROPS < 1 / MIN_CHANGES_PER_PORT < DELTA_MIN_DROPS < 1 / 2
