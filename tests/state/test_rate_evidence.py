"""How much evidence a result needs, and what it tells the user."""

from __future__ import annotations

import pytest

from pf_exporter.schema.rate_unit import RateUnit
from pf_exporter.state.rate_evidence import (
    CONFIRMATIONS,
    MEMORY,
    MEMORY_SECONDS,
    MIN_CIRCUITS,
    MIN_COMPARISONS,
    MIN_COMPARISONS_OF_FEW,
    SPREAD,
    DetectedRates,
    Fit,
    RateEvidence,
    RateQuantity,
    RateSums,
)


def sums(*factors: float, seconds: float = 1.0, intervals: int = 1) -> list[RateSums]:
    """Return sums with these factors."""
    result = [RateSums() for _ in factors]
    for one, factor in zip(result, factors, strict=True):
        for _ in range(intervals):
            one.add(factor / seconds, 1.0, seconds)
    return result


def quantity() -> RateQuantity:
    return RateQuantity({Fit.BITS: 8.0, Fit.BYTES: 1.0})


def found(*factors: float) -> Fit | None:
    """Return the result if the circuits have these factors, after enough evaluations."""
    tested = quantity()
    for _ in range(CONFIRMATIONS):
        tested.evaluate(sums(*factors), MIN_CIRCUITS, MIN_COMPARISONS)
    return tested.evidence.fit


@pytest.mark.parametrize(
    ("factor", "fit"),
    [
        (16.01, Fit.NEITHER),
        (16.0, Fit.BITS),
        (4.0, Fit.BITS),
        (3.99, Fit.NEITHER),
        (2.01, Fit.NEITHER),
        (2.0, Fit.BYTES),
        (0.5, Fit.BYTES),
        (0.49, Fit.NEITHER),
    ],
)
def test_tolerance(factor: float, fit: Fit) -> None:
    """A unit fits up to twice and down to half of its factor."""
    assert found(factor) is fit


@pytest.mark.parametrize(
    ("factors", "fit"),
    [
        ((8.0, 8.0 * SPREAD, 99.0), Fit.BITS),
        ((0.1, 8.0 / SPREAD, 8.0), Fit.BITS),
        ((8.0, 8.0 * 1.01 * SPREAD, 0.1), None),
        ((99.0, 8.0 / 1.01 / SPREAD, 8.0), None),
        ((8.0, 8.0, 1.0, 1.0, 8.0), None),
        ((8.0, 11.3, 99.0), Fit.BITS),
        ((8.0, 11.4, 0.1), None),
    ],
)
def test_agreement(factors: tuple[float, ...], fit: Fit | None) -> None:
    """There is a result only if two thirds of the circuits have about the same factor."""
    assert found(*factors) is fit


@pytest.mark.parametrize(
    ("circuits", "comparisons", "fit"),
    [
        (MIN_CIRCUITS, MIN_COMPARISONS - 1, None),
        (MIN_CIRCUITS, MIN_COMPARISONS, Fit.BITS),
        (MIN_CIRCUITS - 1, MIN_COMPARISONS_OF_FEW - 1, None),
        (MIN_CIRCUITS - 1, MIN_COMPARISONS_OF_FEW, Fit.BITS),
    ],
)
def test_comparisons_needed(circuits: int, comparisons: int, fit: Fit | None) -> None:
    """With fewer circuits, more comparisons are needed."""
    tested = quantity()
    for _ in range(CONFIRMATIONS):
        tested.evaluate(sums(8.0), circuits, comparisons)
    assert tested.evidence == RateEvidence(fit, comparisons, circuits, 8.0)


def test_results_are_confirmed() -> None:
    """A unit is adopted, and replaced, after some evaluations in a row; others in between start again."""
    tested = quantity()
    few = MIN_COMPARISONS - 1

    def after(factor: float, times: int, comparisons: int = MIN_COMPARISONS) -> Fit | None:
        for _ in range(times):
            tested.evaluate(sums(factor), MIN_CIRCUITS, comparisons)
        return tested.evidence.fit

    assert after(8.0, CONFIRMATIONS - 1) is None
    assert after(1.0, 1) is None
    assert after(8.0, CONFIRMATIONS - 1) is None
    assert after(8.0, 1, few) is None
    assert after(8.0, CONFIRMATIONS - 1) is None
    assert after(8.0, 1) is Fit.BITS
    assert after(1.0, CONFIRMATIONS - 1) is Fit.BITS
    assert after(8.0, 1) is Fit.BITS
    assert after(1.0, CONFIRMATIONS - 1) is Fit.BITS
    assert after(1.0, 1) is Fit.BYTES


def test_nothing_to_compare() -> None:
    """Without circuits that count there is no factor, and the result stays."""
    tested = quantity()
    for _ in range(CONFIRMATIONS):
        tested.evaluate(sums(8.0), MIN_CIRCUITS, MIN_COMPARISONS)
    tested.evaluate([], 0, MIN_COMPARISONS)
    assert tested.evidence == RateEvidence(Fit.BITS, MIN_COMPARISONS, 0, None)


@pytest.mark.parametrize(("factor", "fit"), [(25.0, Fit.PACKETS_PER_INTERVAL), (75.0, Fit.NEITHER)])
def test_packets_per_interval(factor: float, fit: Fit) -> None:
    """Rates per interval are recognized by the mean length of the intervals."""
    tested = RateQuantity({Fit.PACKETS: 1.0}, per_interval=Fit.PACKETS_PER_INTERVAL)
    # 13 intervals in 325 seconds.
    mixed = sums(factor, seconds=5.0, intervals=3) + sums(factor, seconds=31.0, intervals=10)
    for _ in range(CONFIRMATIONS):
        tested.evaluate(mixed, MIN_CIRCUITS, MIN_COMPARISONS)
    assert tested.evidence.fit is fit


def test_the_past_is_forgotten() -> None:
    """After enough intervals and seconds with traffic, the sums count half; growths are all counted."""
    one = RateSums()
    for _ in range(MEMORY - 1):
        one.add(16.0, 20.0, 10.0)
    assert (one.rate, one.growth, one.seconds, one.intervals) == (10080.0, 1260.0, 630.0, 63)
    one.add(16.0, 20.0, 10.0)
    assert (one.rate, one.growth, one.seconds, one.intervals) == (5120.0, 640.0, 320.0, 32)
    assert (one.growths, one.factor) == (MEMORY, 8.0)


def test_short_intervals_are_kept_longer() -> None:
    """The sums of short intervals are halved only once they cover enough seconds."""
    one = RateSums()
    for _ in range(int(MEMORY_SECONDS / 5.0) - 1):
        one.add(1.0, 5.0, 5.0)
    assert (one.seconds, one.intervals) == (MEMORY_SECONDS - 5.0, 119)
    one.add(1.0, 5.0, 5.0)
    assert (one.seconds, one.intervals) == (MEMORY_SECONDS / 2, 60)


def test_only_growth_counts_as_growth() -> None:
    """An interval in which the total stays the same is no growth."""
    one = RateSums()
    one.add(1.0, 0.0, 5.0)
    one.add(1.0, 0.5, 5.0)
    assert (one.growths, one.intervals) == (1, 2)


def detected(in_bytes: Fit | None, in_packets: Fit | None) -> DetectedRates:
    return DetectedRates("port|metrics", RateEvidence(in_bytes), RateEvidence(in_packets))


@pytest.mark.parametrize(
    ("in_bytes", "in_packets", "bits", "as_bytes"),
    [
        (None, None, None, None),
        (None, Fit.PACKETS, None, None),
        (None, Fit.NEITHER, False, False),
        (Fit.BITS, None, True, False),
        (Fit.BITS, Fit.PACKETS, True, False),
        (Fit.BYTES, Fit.PACKETS, False, True),
        (Fit.BYTES, Fit.PACKETS_PER_INTERVAL, False, False),
        (Fit.NEITHER, None, False, False),
    ],
)
def test_confirmed(
    in_bytes: Fit | None, in_packets: Fit | None, bits: bool | None, as_bytes: bool | None
) -> None:
    """Bytes confirm the assumption; bytes and packets can each contradict it."""
    result = detected(in_bytes, in_packets)
    assert (result.confirmed(RateUnit.BITS), result.confirmed(RateUnit.BYTES)) == (bits, as_bytes)


@pytest.mark.parametrize(
    ("in_bytes", "assumed", "advice"),
    [
        (Fit.BYTES, RateUnit.BITS, "set units.rates to bytes; it is bits now"),
        (Fit.BITS, RateUnit.BYTES, "set units.rates to bits; it is bytes now"),
        (
            Fit.BITS,
            RateUnit.BITS,
            "use rate() of the totals instead of the packet rates, and report this line",
        ),
        (Fit.NEITHER, RateUnit.BITS, "use rate() of the totals instead of the rates, and report this line"),
        (None, RateUnit.BITS, "use rate() of the totals instead of the rates, and report this line"),
    ],
)
def test_advice(in_bytes: Fit | None, assumed: RateUnit, advice: str) -> None:
    """The advice names the setting if another value of it fits, else the totals, which are right."""
    assert detected(in_bytes, Fit.NEITHER).advice(assumed) == advice


def test_evidence_as_text() -> None:
    """The evidence for a result is one clause, with one circuit or several."""
    assert str(RateEvidence(None, 1200, 1, 7.9876)) == (
        "1,200 comparisons on 1 circuit: the rates add up to 7.99 times the growth of the totals"
    )
    assert "on 2 circuits:" in str(RateEvidence(None, 1200, 2, 8.0))
