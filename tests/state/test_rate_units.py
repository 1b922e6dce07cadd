"""The unit of rates is found by comparing them with the growth of their totals."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.observation import Observation
from pf_exporter.schema.rate_unit import RateUnit
from pf_exporter.state.rate_evidence import DetectedRates, Fit, RateEvidence
from pf_exporter.state.rate_units import MAX_CIRCUITS, RateUnitDetector

EVENT = EVENTS["port|metrics"]
START = 1_790_000_000.0
PACKET_BYTES = 500.0

AVERAGED = 5.0
"""Seconds over which the network's routers average their rates."""

GOLDEN_RATIO = (5**0.5 - 1) / 2

Load = Callable[[float], float]
"""Bytes until a time in seconds."""


def steady(rate: float) -> Load:
    return lambda at: rate * at


def waves(rate: float, period: float) -> Load:
    omega = math.tau / period
    return lambda at: rate * (at - 0.8 * math.cos(omega * at) / omega)


def bursts(rate: float, period: float, duty: float) -> Load:
    """Traffic at the start of each period only."""
    return lambda at: rate * (at // period * period + min(at % period / duty, period))


class Network:
    """Events of circuits with a load each; rates are ``factor`` times the bytes per second."""

    def __init__(self, loads: dict[str, Load], factor: float = 8.0, packet_factor: float = 1.0) -> None:
        self.factors = dict.fromkeys(loads, factor)
        self.packet_factor = packet_factor
        self._loads = loads
        self._zero = {name: load(0.0) for name, load in loads.items()}
        self.now = 1000.0

    def reset(self, circuit: str) -> None:
        self._zero[circuit] = self._loads[circuit](self.now)

    def event(self, circuit: str) -> Observation:
        load = self._loads[circuit]
        rate = (load(self.now) - load(self.now - AVERAGED)) / AVERAGED
        total = load(self.now) - self._zero[circuit]
        one = (
            float(int(total)),
            float(int(total / PACKET_BYTES)),
            float(int(self.factors[circuit] * rate)),
            float(int(self.packet_factor * rate / PACKET_BYTES)),
        )
        return Observation(EVENT, (circuit,), (), one * 2, START + self.now)

    def sample(self, detector: RateUnitDetector, interval: float) -> None:
        self.now += interval
        for circuit in self._loads:
            observe(detector, self.event(circuit))


def observe(detector: RateUnitDetector, observation: Observation) -> None:
    detector.observers[observation.event.name](observation)


def result(detector: RateUnitDetector) -> DetectedRates:
    return detector.results()[0]


def fits(detector: RateUnitDetector) -> tuple[Fit | None, Fit | None]:
    return result(detector).bytes.fit, result(detector).packets.fit


def ports(count: int, seed: int = 1) -> dict[str, Load]:
    """Circuits with different loads that change."""
    chance = random.Random(seed)
    return {f"p{n}": waves(10 ** chance.uniform(5, 9), chance.uniform(20, 900)) for n in range(count)}


@pytest.mark.parametrize("interval", [1.0, 5.0, 60.0])
@pytest.mark.parametrize(
    ("factor", "fit"), [(8.0, Fit.BITS), (4.3, Fit.BITS), (1.0, Fit.BYTES), (0.001, Fit.NEITHER)]
)
def test_the_unit_is_found(interval: float, factor: float, fit: Fit) -> None:
    """Bits, bytes and neither are told apart at any usual interval, with the evidence for it."""
    network, detector = Network(ports(12), factor), RateUnitDetector()
    for _ in range(max(30, int(150 / interval))):
        network.sample(detector, interval)
    assert fits(detector) == (fit, Fit.PACKETS)
    found = result(detector)
    assert found.bytes.comparisons > 300
    assert found.bytes.circuits == 12
    assert found.bytes.factor == pytest.approx(factor, rel=0.2)
    assert (found.confirmed(RateUnit.BITS), found.confirmed(RateUnit.BYTES)) == (
        fit is Fit.BITS,
        fit is Fit.BYTES,
    )
    assert detector.confirmed() == {"port|metrics": fit is Fit.BITS}


@pytest.mark.parametrize(
    ("packet_factor", "fit"), [(5.0, Fit.PACKETS_PER_INTERVAL), (100.0, Fit.NEITHER), (1.0, Fit.PACKETS)]
)
def test_packets_per_interval(packet_factor: float, fit: Fit) -> None:
    """Packets per event instead of per second contradict the assumption, although the bytes confirm it."""
    network, detector = Network(ports(5), packet_factor=packet_factor), RateUnitDetector()
    for _ in range(40):
        network.sample(detector, 5.0)
    assert fits(detector) == (Fit.BITS, fit)
    assert detector.confirmed() == {"port|metrics": fit is Fit.PACKETS}


LOADS = st.one_of(
    st.builds(steady, st.sampled_from([0.0, 50.0, 1e4, 1e7, 1e10])),
    st.builds(waves, st.sampled_from([1e4, 1e7, 1e10]), st.floats(10, 3600)),
    st.builds(bursts, st.sampled_from([1e4, 1e7, 1e10]), st.floats(3, 600), st.floats(0.05, 0.9)),
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(LOADS, min_size=1, max_size=6),
    st.sampled_from([(8.0, Fit.BITS), (1.0, Fit.BYTES)]),
    st.sampled_from([1.0, 5.0, 30.0]),
    st.dictionaries(st.integers(0, 99), st.integers(0, 5), max_size=3),
    st.dictionaries(st.tuples(st.integers(0, 99), st.integers(0, 5)), st.sampled_from([0, 2]), max_size=40),
)
def test_a_wrong_unit_is_never_found(
    loads: list[Load],
    unit: tuple[float, Fit],
    interval: float,
    resets: dict[int, int],
    copies: dict[tuple[int, int], int],
) -> None:
    """Resets, lost and repeated events, bursts and idle circuits delay the result, but do not change it."""
    factor, fit = unit
    network = Network({str(number): load for number, load in enumerate(loads)}, factor)
    detector = RateUnitDetector()
    for sample in range(100):
        # Not exactly periodic: no number of periods of a load is an interval.
        step = interval * (0.8 + 0.4 * (sample * GOLDEN_RATIO % 1))
        network.now += step / 2
        if resets.get(sample, len(loads)) < len(loads):
            network.reset(str(resets[sample]))
        network.now += step / 2
        for number in range(len(loads)):
            for _ in range(copies.get((sample, number), 1)):
                observe(detector, network.event(str(number)))
        assert fits(detector)[0] in (None, fit)
        assert fits(detector)[1] in (None, Fit.PACKETS)


def test_one_odd_circuit_changes_nothing() -> None:
    """One circuit in another unit neither changes the result of three, nor decides against one."""
    for count, expected in ((3, Fit.BITS), (2, None)):
        network, detector = Network(ports(count)), RateUnitDetector()
        network.factors["p0"] = 1.0
        for _ in range(200):
            network.sample(detector, 5.0)
        assert fits(detector)[0] is expected


def test_few_circuits_need_more_comparisons() -> None:
    """One circuit is enough, after more comparisons than many need."""
    network, detector = Network(ports(1)), RateUnitDetector()
    for _ in range(99):
        network.sample(detector, 5.0)
    assert fits(detector) == (None, None)
    for _ in range(20):
        network.sample(detector, 5.0)
    assert fits(detector) == (Fit.BITS, Fit.PACKETS)


def test_idle_networks_have_no_result() -> None:
    """Without traffic there is nothing to compare, and no result."""
    network, detector = Network({"a": steady(0.0), "b": steady(20.0)}), RateUnitDetector()
    for _ in range(100):
        network.sample(detector, 5.0)
    assert fits(detector) == (None, None)
    assert str(result(detector).bytes) == "no traffic to compare yet"
    assert detector.confirmed() == {}


def changes(network: Network, detector: RateUnitDetector, events: int) -> Iterator[Fit | None]:
    for _ in range(events):
        network.sample(detector, 5.0)
        yield fits(detector)[0]


def test_a_result_changes_only_if_it_persists() -> None:
    """A short disturbance changes nothing; when the network changes its unit, the result follows."""
    network, detector = Network(ports(4)), RateUnitDetector()
    assert list(changes(network, detector, 30))[-1] is Fit.BITS
    network.factors = dict.fromkeys(network.factors, 1.0)
    assert set(changes(network, detector, 5)) == {Fit.BITS}
    network.factors = dict.fromkeys(network.factors, 8.0)
    assert set(changes(network, detector, 100)) == {Fit.BITS}
    network.factors = dict.fromkeys(network.factors, 1.0)
    found = list(changes(network, detector, 500))
    assert found[-1] is Fit.BYTES


def test_circuits_with_traffic_are_compared() -> None:
    """Of many circuits the busy ones are found, although only a few are compared at a time."""
    loads: dict[str, Load] = {f"idle{n}": steady(0.0) for n in range(4 * MAX_CIRCUITS)}
    network, detector = Network(loads | ports(3)), RateUnitDetector()
    for _ in range(60):
        network.sample(detector, 5.0)
    assert fits(detector) == (Fit.BITS, Fit.PACKETS)
    assert result(detector).bytes.circuits == 3


def test_circuits_that_end_make_room() -> None:
    """Circuits without further events make room for others."""
    network, detector = Network(ports(MAX_CIRCUITS)), RateUnitDetector()
    for _ in range(3):
        network.sample(detector, 5.0)
    later = Network({f"new{name}": load for name, load in ports(40).items()})
    later.now = network.now + 4000
    for _ in range(80):
        later.sample(detector, 5.0)
    assert fits(detector)[0] is Fit.BITS


def test_events_without_a_time_or_a_field() -> None:
    """Events without a timestamp are not compared; those without a field only in the others."""
    loads = {str(number): steady(1e6) for number in range(4)}
    network, detector = Network(loads), RateUnitDetector()
    for number in range(60):
        network.now += 5.0
        for circuit in network.factors:
            observed = network.event(circuit)
            values = (*observed.values[:3], None, *observed.values[4:7], None)
            observe(
                detector,
                replace(observed, timestamp=None) if number % 2 else replace(observed, values=values),
            )
    assert fits(detector) == (Fit.BITS, None)
    assert detector.confirmed() == {"port|metrics": True}
    assert result(detector).packets == RateEvidence()
    assert result(detector).bytes.comparisons < 240
    assert str(result(detector).bytes) == (
        "220 comparisons on 4 circuits: the rates add up to 8 times the growth of the totals"
    )
