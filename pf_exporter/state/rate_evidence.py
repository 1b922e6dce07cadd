"""The evidence for the unit of the rates in an event, and the result."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pf_exporter.schema import RateUnit

MEMORY, MEMORY_SECONDS = 64, 600.0
"""Intervals, and seconds with traffic, after which the sums of a circuit are halved, to forget the past."""
MIN_COMPARISONS, MIN_CIRCUITS = 40, 3
"""Comparisons of all circuits, and circuits that count, needed for a result."""
MIN_COMPARISONS_OF_FEW = 200
"""Comparisons needed with fewer circuits."""
TOLERANCE = 2.0
"""A unit fits if the median factor differs from its factor by at most this factor."""
SPREAD, MIN_AGREEMENT = 2**0.5, 2 / 3
"""The median counts if at least this share of the circuits' factors differ from it by at most this factor."""
CONFIRMATIONS = 3
"""Evaluations in a row with the same result that are needed to adopt it."""


class Fit(enum.Enum):
    """What rates turned out to be; the value completes the sentence "the rates are ..."."""

    BITS = "bits per second"
    BYTES = "bytes per second"
    PACKETS = "packets per second"
    PACKETS_PER_INTERVAL = "packets per interval between two events"
    NEITHER = "in no known unit"


class RateEvidence(NamedTuple):
    """What the comparisons of one quantity, bytes or packets, have shown."""

    fit: Fit | None = None
    """None as long as there is no result."""
    comparisons: int = 0
    """Intervals with traffic, on all circuits and in both directions."""
    circuits: int = 0
    """Circuits among them that count."""
    factor: float | None = None
    """Median of the circuits: the sum of the rates divided by the growth of the totals."""

    def __str__(self) -> str:
        if self.factor is None:
            return "no traffic to compare yet"
        circuits = "circuit" if self.circuits == 1 else "circuits"
        return (
            f"{self.comparisons:,} comparisons on {self.circuits} {circuits}:"
            f" the rates add up to {self.factor:.3g} times the growth of the totals"
        )


class DetectedRates(NamedTuple):
    """The result for one event."""

    event: str
    """Name in the stream, such as ``port|metrics``."""
    bytes: RateEvidence
    packets: RateEvidence

    def confirmed(self, assumed: RateUnit) -> bool | None:
        """Return whether the rates are as assumed; None while that is unknown."""
        expected = Fit.BITS if assumed is RateUnit.BITS else Fit.BYTES
        if self.bytes.fit not in (None, expected) or self.packets.fit not in (None, Fit.PACKETS):
            return False
        return None if self.bytes.fit is None else True

    def advice(self, assumed: RateUnit) -> str:
        """Return what to do if the rates contradict the assumption."""
        unit = {Fit.BITS: RateUnit.BITS, Fit.BYTES: RateUnit.BYTES}.get(self.bytes.fit or Fit.NEITHER)
        if unit not in (None, assumed):
            return f"set units.rates to {unit}; it is {assumed} now"
        what = "packet rates" if unit is assumed else "rates"
        return f"use rate() of the totals instead of the {what}, and report this line"


class RateSums:
    """The sums of one direction of a circuit, for bytes or packets."""

    __slots__ = ("growth", "growths", "intervals", "rate", "seconds")

    def __init__(self) -> None:
        self.rate = self.growth = self.seconds = 0.0
        self.intervals = 0
        self.growths = 0

    def add(self, rate: float, growth: float, seconds: float) -> None:
        """Add an interval: the mean rate, how much the total grew, and the length."""
        self.rate += rate * seconds
        self.growth += growth
        self.seconds += seconds
        self.intervals += 1
        self.growths += growth > 0
        if self.intervals >= MEMORY and self.seconds >= MEMORY_SECONDS:
            self.rate /= 2
            self.growth /= 2
            self.seconds /= 2
            self.intervals //= 2

    @property
    def factor(self) -> float:
        """Return what the rates add up to, divided by the growth of the total."""
        return self.rate / self.growth


def _median(numbers: Sequence[float]) -> float:
    """The median; importing that of the standard library takes a megabyte, for exact fractions."""
    ordered, middle = sorted(numbers), len(numbers) // 2
    return ordered[middle] if len(numbers) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _is_near(factor: float, expected: float, tolerance: float) -> bool:
    return expected / tolerance <= factor <= expected * tolerance


class RateQuantity:
    """The result for bytes or packets, replaced only by one that is found several times in a row.

    ``factors`` are those of each unit; the factor of ``per_interval`` is the length of an interval.
    """

    def __init__(self, factors: Mapping[Fit, float], per_interval: Fit | None = None) -> None:
        self._factors = factors
        self._per_interval = per_interval
        self.evidence = RateEvidence()
        self._candidate: Fit | None = None
        self._times = 0

    def evaluate(self, sums: Sequence[RateSums], circuits: int, comparisons: int) -> None:
        """Update the result from the sums of the circuits that count, and the comparisons of all."""
        factor = _median([one.factor for one in sums]) if sums else None
        found = self._fit(sums, factor) if factor is not None else None
        needed = MIN_COMPARISONS if circuits >= MIN_CIRCUITS else MIN_COMPARISONS_OF_FEW
        fit = self.evidence.fit
        if found is None or found is fit or comparisons < needed:
            self._times = 0
        else:
            self._times = self._times + 1 if found is self._candidate else 1
            self._candidate = found
            if self._times >= CONFIRMATIONS:
                fit = found
        self.evidence = RateEvidence(fit, comparisons, circuits, factor)

    def _fit(self, sums: Sequence[RateSums], factor: float) -> Fit | None:
        agreeing = sum(_is_near(one.factor, factor, SPREAD) for one in sums)
        if agreeing < MIN_AGREEMENT * len(sums):
            return None
        for fit, expected in self._factors.items():
            if _is_near(factor, expected, TOLERANCE):
                return fit
        interval = sum(one.seconds for one in sums) / sum(one.intervals for one in sums)
        if self._per_interval is not None and _is_near(factor, interval, TOLERANCE):
            return self._per_interval
        return Fit.NEITHER
