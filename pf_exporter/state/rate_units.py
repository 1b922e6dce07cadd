"""Compares the rates in events with the growth of their totals, to find the unit of the rates.

An event has a total and a rate of the same traffic. Over many intervals, the rate times the length of the
interval adds up to the growth of the total, no matter how the traffic changes meanwhile, except for a factor:
8 if the rate is in bits and the total in bytes, and 1 if both are in bytes or in packets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pf_exporter.schema import EVENTS, Numbers, Observation, RateUnit
from pf_exporter.state.rate_evidence import DetectedRates, Fit, RateEvidence, RateQuantity, RateSums

MAX_CIRCUITS = 24
"""Circuits of an event that are compared; with more, the cost of each event would grow."""
MIN_INTERVAL, MAX_INTERVAL = 5.0, 900.0
"""Shortest and longest interval in seconds that is compared.

More frequent events add nothing but cost; over a longer interval, the rate at its ends says little.
"""
MIN_RATES = (1000.0, 10.0)
"""Bytes and packets per second below which an interval is ignored, because rates are whole numbers."""
MIN_GROWTHS, MIN_SECONDS = 10, 60.0
"""Growths of a total, and seconds with traffic, after which a circuit counts.

The network may update totals less often than rates, and rates are averages of some seconds.
"""
EVALUATE_EVERY = 20
"""Comparisons between two evaluations."""
IDLE_EVENTS = 20
"""Events without traffic after which a circuit makes room for another."""
STALE = 4 * MAX_INTERVAL
"""Seconds without events after which a circuit makes room for another."""
IGNORED_EVENTS = 1024
"""Events of further circuits that are ignored before one of them looks for stale circuits."""


class _Circuit:
    """A circuit that is compared."""

    __slots__ = ("idle", "sums", "timestamp", "values")

    def __init__(self, timestamp: float, values: Numbers, sums: int) -> None:
        self.timestamp = timestamp
        self.values = values
        self.idle = 0
        self.sums = tuple(RateSums() for _ in range(sums))


class _EventRates:
    """The circuits of one event that are compared."""

    def __init__(self, event: str) -> None:
        fields = list(EVENTS[event].fields)
        self._columns = [
            (fields.index(f"{quantity}_{direction}_total"), fields.index(f"{quantity}_{direction}_{rate}"))
            for direction in ("rx", "tx")
            for quantity, rate in (("bytes", "bps"), ("packets", "pps"))
        ]
        self._circuits: dict[tuple[str, ...], _Circuit] = {}
        self._comparisons = [0, 0]
        self._not_evaluated = 0
        self._to_ignore = 0
        self._quantities = (
            RateQuantity({Fit.BITS: 8.0, Fit.BYTES: 1.0}),
            RateQuantity({Fit.PACKETS: 1.0}, per_interval=Fit.PACKETS_PER_INTERVAL),
        )
        self.result = DetectedRates(event, RateEvidence(), RateEvidence())

    def observe(self, observation: Observation) -> None:
        known = self._circuits.get(observation.circuit)
        if known is None:
            if self._to_ignore:
                self._to_ignore -= 1
            else:
                self._admit(observation)
        elif observation.timestamp is not None:
            timestamp = observation.timestamp
            seconds = timestamp - known.timestamp
            if 0 <= seconds < MIN_INTERVAL:
                return
            before, known.values, known.timestamp = known.values, observation.values, timestamp
            if MIN_INTERVAL <= seconds <= MAX_INTERVAL:
                self._compare(known, before, seconds)
                if known.idle >= IDLE_EVENTS:
                    del self._circuits[observation.circuit]
                    self._to_ignore = 0
                elif self._not_evaluated >= EVALUATE_EVERY:
                    self._evaluate()

    def _admit(self, observation: Observation) -> None:
        """Compare this circuit from now on if there is room, at first for circuits with traffic."""
        timestamp, values = observation.timestamp, observation.values
        if timestamp is None:
            return
        if len(self._circuits) == MAX_CIRCUITS:
            self._drop_stale(timestamp)
        has_traffic = any(values[rate] for _, rate in self._columns)
        if len(self._circuits) < (MAX_CIRCUITS if has_traffic else MAX_CIRCUITS // 2):
            self._circuits[observation.circuit] = _Circuit(timestamp, values, len(self._columns))
        self._to_ignore = IGNORED_EVENTS if len(self._circuits) == MAX_CIRCUITS else 0

    def _drop_stale(self, now: float) -> None:
        stale = [name for name, circuit in self._circuits.items() if circuit.timestamp < now - STALE]
        for name in stale:
            del self._circuits[name]

    def _compare(self, circuit: _Circuit, before: Numbers, seconds: float) -> None:
        """Add an interval to the circuit's sums, if there was traffic in it."""
        after = circuit.values
        compared = 0
        for index, (total, rate) in enumerate(self._columns):
            old_total, new_total, old_rate, new_rate = before[total], after[total], before[rate], after[rate]
            if old_total is None or new_total is None or old_rate is None or new_rate is None:
                continue
            growth, mean = new_total - old_total, (old_rate + new_rate) / 2
            quantity = index % 2
            minimum = MIN_RATES[quantity]
            # A total that is lower than before was reset.
            if growth >= 0 and (mean >= minimum or growth >= minimum * seconds):
                circuit.sums[index].add(mean, growth, seconds)
                self._comparisons[quantity] += 1
                compared += 1
        self._not_evaluated += compared
        circuit.idle = 0 if compared else circuit.idle + 1

    def _evaluate(self) -> None:
        self._not_evaluated = 0
        for number, quantity in enumerate(self._quantities):
            counting = [
                [
                    one
                    for one in circuit.sums[number::2]
                    if one.growths >= MIN_GROWTHS and one.seconds >= MIN_SECONDS
                ]
                for circuit in self._circuits.values()
            ]
            sums = [one for ones in counting for one in ones]
            quantity.evaluate(sums, sum(map(bool, counting)), self._comparisons[number])
        in_bytes, in_packets = (quantity.evidence for quantity in self._quantities)
        self.result = DetectedRates(self.result.event, in_bytes, in_packets)


class RateObserver(Protocol):
    """Takes the observations of one event."""

    def __call__(self, observation: Observation) -> None:
        """Take an observation in the API's units, newer than the circuit's previous one."""


class RateUnitDetector:
    """Observes one account's events that have rates; ``assumed`` is the setting ``units.rates``.

    One thread observes; any thread may read results.
    """

    def __init__(self, assumed: RateUnit = RateUnit.BITS) -> None:
        self.assumed = assumed
        self._events = {
            name: _EventRates(name) for name, event in EVENTS.items() if "bytes_rx_bps" in event.fields
        }
        self.observers: Mapping[str, RateObserver] = {
            name: event.observe for name, event in self._events.items()
        }
        """By the names of the events that have rates."""

    def results(self) -> tuple[DetectedRates, ...]:
        """Return the results for all events, in the order of the schema."""
        return tuple(event.result for event in self._events.values())

    def confirmed(self) -> dict[str, float]:
        """Return by event 1 if the rates are as assumed, else 0, without events for which that is unknown."""
        found = {result.event: result.confirmed(self.assumed) for result in self.results()}
        return {event: float(value) for event, value in found.items() if value is not None}
