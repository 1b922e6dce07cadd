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
from pf_exporter.state import temporality
from pf_exporter.state.temporality import FIRM, MIN_CHANGES, TemporalityDetector, Verdict

ERRORS, ETHERSTATS = EVENTS["port|errors"], EVENTS["port|etherstats"]


def judged(series: dict[str, list[Numbers]]) -> list[Verdict]:
    """What is said after each event of these ports, which come in turn."""
    temporality = TemporalityDetector()
    found = []
    for round in zip(*series.values(), strict=True):
        for port, values in zip(series, round, strict=True):
            temporality.saw(ERRORS, (port,), values)
            found.append(temporality.verdict("port|errors"))
    return found


def poisson(chance: random.Random, mean: float) -> int:
    """A number of events of an interval."""
    return (
        sum(chance.expovariate(1) < mean / 50 for _ in range(50))
        if mean < 50
        else int(max(0, chance.gauss(mean, mean**0.5)))
    )


def intervals(chance: random.Random, means: list[float], length: int) -> Iterator[Numbers]:
    """Counts of one port in each interval, as they happen."""
    for _ in range(length):
        yield tuple(float(poisson(chance, mean)) for mean in means)


def totals(chance: random.Random, means: list[float], length: int, reset: float) -> Iterator[Numbers]:
    """The same as running totals that begin anew now and then, all at once."""
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


@settings(max_examples=150, deadline=None)
@given(st.integers(), MEANS, st.integers(1, 5), st.sampled_from([0.0, 0.01, 0.1]))
def test_totals_are_never_taken_for_differences(
    seed: int, means: list[float], ports: int, reset: float
) -> None:
    """Whatever they count, however often a port begins anew, and whenever one asks."""
    chance = random.Random(seed)
    series = {str(port): list(totals(chance, means, 120, reset)) for port in range(ports)}
    assert "delta" not in {verdict.kind for verdict in judged(series)}


@settings(max_examples=150, deadline=None)
@given(st.integers(), MEANS, st.integers(1, 5))
def test_differences_are_never_taken_for_totals(seed: int, means: list[float], ports: int) -> None:
    """Whatever they count, and whenever one asks."""
    chance = random.Random(seed)
    series = {str(port): list(intervals(chance, means, 120)) for port in range(ports)}
    assert "cumulative" not in {verdict.kind for verdict in judged(series)}


@pytest.mark.parametrize("mean", [0.1, 2.0, 1e6])
@pytest.mark.parametrize("ports", [1, 20])
def test_enough_changes_tell(mean: float, ports: int) -> None:
    """Both kinds are known as such after some hundred events, of rare errors as of busy packets."""
    chance = random.Random(11)
    for kind, series in (
        ("delta", {str(port): list(intervals(chance, [mean, 0.0], 600)) for port in range(ports)}),
        ("cumulative", {str(port): list(totals(chance, [mean, 0.0], 600, 0.0)) for port in range(ports)}),
    ):
        assert judged(series)[-1].kind == kind


def test_a_router_that_restarts() -> None:
    """All ports of a router begin anew at once while their errors are rare: they are totals still."""
    series: dict[str, list[Numbers]] = {}
    for port in range(50):
        changes = 20 if port == 0 else port % 8
        before = [(float(100 + min(step, changes)), 5.0) for step in range(20)]
        series[str(port)] = [*before, (0.0, 0.0), *((float(min(step, changes)), 0.0) for step in range(20))]
    kinds = [verdict.kind for verdict in judged(series)]
    assert "delta" not in kinds
    assert kinds[-1] == "cumulative"


def test_an_incident_on_all_ports() -> None:
    """Errors that begin on all ports at once, and grow for a while, do not make totals of differences."""
    burst = [0.0, 0.0, 3.0, 9.0, 20.0, 31.0, 12.0, 0.0, 0.0]
    series: dict[str, list[Numbers]] = {str(port): [(count,) for count in burst] for port in range(100)}
    assert "cumulative" not in {verdict.kind for verdict in judged(series)}


def test_lost_repeated_and_missing_numbers() -> None:
    """An event that comes twice is no change, and a number that is missing is neither a rise nor a fall."""
    temporality = TemporalityDetector()
    for step in range(100):
        for _ in range(3):
            temporality.saw(ERRORS, ("a",), (float(step), None if step % 2 else 1e9, None))
    verdict = temporality.verdict("port|errors")
    assert verdict.kind == "cumulative"
    assert verdict.evidence == "In 98 changes of 1 field on 1 port, 98 rose and none fell."


def test_some_events_out_of_order() -> None:
    """A few samples that arrive late make no differences of totals, and no totals of differences."""
    chance = random.Random(4)
    steps = [float(step) for step in range(400)]
    for index in range(0, 400, 20):
        steps[index], steps[index + 1] = steps[index + 1], steps[index]
    assert judged({"a": [(step,) for step in steps]})[-1].kind == "cumulative"
    noise: list[Numbers] = [(float(chance.randrange(1000)),) for _ in range(400)]
    assert judged({"a": noise})[-1].kind == "delta"


def test_what_is_said() -> None:
    """Each verdict names its setting and gives its reason in one sentence, also where it is not known."""
    temporality = TemporalityDetector()
    assert temporality.verdict("port|etherstats") == Verdict(
        "port|etherstats", "counters.port_etherstats", None, "No port has been seen yet."
    )
    temporality.saw(ETHERSTATS, ("a",), (0.0, 0.0))
    temporality.saw(ETHERSTATS, ("b",), (0.0, 0.0))
    temporality.saw(ETHERSTATS, ("b",), (0.0, 1.0))
    assert temporality.verdict("port|etherstats").evidence == "No count has changed twice yet on 2 ports."
    temporality.saw(ETHERSTATS, ("b",), (0.0, 2.0))
    assert temporality.verdict("port|etherstats").evidence == (
        "Counts have changed again 1 time on 2 ports; it takes 20 times on ports with 5 or more."
    )
    for step in range(MIN_CHANGES):
        temporality.saw(ETHERSTATS, ("b",), (float(step % 2), 5.0))
    verdict = temporality.verdict("port|etherstats")
    assert verdict.evidence == "In 20 changes of 2 fields on 1 port, 11 rose and 9 fell."
    assert verdict.kind == "delta"
    assert temporality.verdicts() == (temporality.verdict("port|errors"), verdict)


def test_between_the_two_nothing_is_said() -> None:
    """Counts that fall in one change of five could be either."""
    steps = [float(step - 3 * (step // 5)) for step in range(200)]
    verdict = judged({"a": [(step,) for step in steps]})[-1]
    assert verdict.kind is None
    assert verdict.evidence == "In 198 changes of 1 field on 1 port, 159 rose and 39 fell."


def test_what_fits() -> None:
    """Only what is known to be wrong does not fit."""
    verdicts = [
        Verdict("port|errors", "counters.port_errors", "cumulative", ""),
        Verdict("port|errors", "counters.port_errors", "delta", ""),
        Verdict("port|errors", "counters.port_errors", None, ""),
    ]
    assert [verdict.fits("cumulative") for verdict in verdicts] == [True, False, True]
    assert [verdict.fits("delta") for verdict in verdicts] == [False, True, True]


def test_the_settings_are_those_there_are() -> None:
    """Each setting of counters has its verdict, and each verdict its setting."""
    wanted = [setting.key for setting in SETTINGS if setting.key.startswith("counters.")]
    assert [verdict.setting for verdict in TemporalityDetector().verdicts()] == wanted


def test_events_without_a_setting_are_not_watched() -> None:
    """Rates and readings rise and fall by nature, and byte totals are named so by the API."""
    temporality = TemporalityDetector()
    for step in range(100):
        temporality.saw(EVENTS["port|metrics"], ("a",), (float(step),) * 8)
    assert {verdict.evidence for verdict in temporality.verdicts()} == {"No port has been seen yet."}
    with pytest.raises(KeyError):
        temporality.verdict("port|metrics")


def test_memory_is_bounded_and_freed() -> None:
    """No more ports than asked for are followed, and none once the answer is firm."""
    tracemalloc.start()
    try:
        temporality = TemporalityDetector(circuits=10)
        for step in range(2):
            for port in range(20_000):
                temporality.saw(ERRORS, (f"port {port}",), (float(step),))
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()
    assert temporality.verdict("port|errors").evidence == "No count has changed twice yet on 10 ports."


def test_the_answer_becomes_firm() -> None:
    """After many changes the answer stays, and looking further costs nothing."""
    temporality = TemporalityDetector()
    for step in range(FIRM + 2):
        temporality.saw(ERRORS, ("a",), (float(step),))
    verdict = temporality.verdict("port|errors")
    assert verdict.evidence == f"In {FIRM} changes of 1 field on 1 port, {FIRM} rose and none fell."
    for step in range(FIRM):
        temporality.saw(ERRORS, ("a",), (float(step % 2),))
    assert temporality.verdict("port|errors") is verdict


def test_one_thread_may_ask_while_another_tells() -> None:
    """A verdict can be had at any moment."""
    temporality = TemporalityDetector(circuits=100_000)
    done = threading.Event()

    def tell() -> None:
        for port in range(50_000):
            temporality.saw(ERRORS, (str(port),), (0.0,))
        done.set()

    teller = threading.Thread(target=tell)
    teller.start()
    asked = 0
    while not done.is_set():
        assert temporality.verdict("port|errors").kind is None
        asked += 1
    teller.join()
    assert asked > 0


def test_the_limits_are_in_their_order() -> None:
    """One fall of a port that has just enough changes tells nothing, in either direction."""
    assert (
        0
        < temporality.CUMULATIVE_MAX_DROPS
        < 1 / temporality.MIN_CHANGES_PER_PORT
        < temporality.DELTA_MIN_DROPS
        < 1 / 2
    )
