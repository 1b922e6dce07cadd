"""Traffic in one direction as a function of time: a rate, and the integral of that rate."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

START = 1_704_067_200.0
"""2024-01-01T00:00:00Z in UNIX seconds, the earliest time that can be simulated."""

DAY = 86400.0


class Reading(NamedTuple):
    """The rates in bits/s and packets/s, and the totals in bytes and packets, of one direction of traffic."""

    bps: int
    pps: int
    bytes: int
    packets: int

    def since(self, zero: Reading) -> Reading:
        """Return the same rates, and the totals since the reading ``zero``."""
        return Reading(self.bps, self.pps, self.bytes - zero.bytes, self.packets - zero.packets)


def total(readings: Iterable[Reading]) -> Reading:
    """Return the sum of readings.

    >>> total([Reading(8, 1, 10, 2), Reading(16, 1, 5, 1)])
    Reading(bps=24, pps=2, bytes=15, packets=3)
    """
    bps = pps = octets = packets = 0
    for reading in readings:
        bps += reading.bps
        pps += reading.pps
        octets += reading.bytes
        packets += reading.packets
    return Reading(bps, pps, octets, packets)


@dataclass(frozen=True)
class Outage:
    """A periodic failure: down for the last ``down`` seconds of every ``period``."""

    period: float
    down: float
    offset: float = 0.0

    def up(self, at: float) -> bool:
        """Return whether it is up."""
        return (at - START - self.offset) % self.period < self.period - self.down

    def recoveries(self, at: float) -> int:
        """Return how often it came up since :data:`START`."""
        return int((at - START - self.offset) // self.period) + 1

    def last_recovery(self, at: float) -> float:
        """Return the time when it last came up."""
        return START + self.offset + (self.recoveries(at) - 1) * self.period

    @property
    def catch_up_factor(self) -> float:
        """The factor on the rate while up, so that outages do not change the total of a period."""
        return self.period / (self.period - self.down)

    def warp(self, at: float) -> float:
        """Return the time at which uninterrupted traffic reaches the total of ``at``.

        It is constant while down and equals ``at`` at the end of each period, so that totals are exact
        integrals without a sum over all outages.
        """
        begin = self.last_recovery(at)
        return begin + min((at - begin) * self.catch_up_factor, self.period)


class Traffic:
    """One direction of traffic: daily and weekly cycles, with shorter waves as noise.

    The rate is a sum of sines between 0.05 and 0.95 of ``peak`` bits/s, so its integral has a closed form.
    """

    def __init__(
        self, rng: random.Random, peak: float, packet_bytes: int, outage: Outage | None = None
    ) -> None:
        self._outage = outage
        self._catch_up_factor = outage.catch_up_factor if outage else 1.0
        self._peak = peak / self._catch_up_factor
        self._packet_bytes = packet_bytes
        # (share of the peak, radians per second, phase); the daily maximum is around 20:00 UTC.
        self._waves = [(0.25, math.tau / DAY, -math.tau * (14 + rng.gauss(0, 1.5)) / 24)]
        self._waves.append((0.05, math.tau / (7 * DAY), rng.uniform(0, math.tau)))
        for share, longest in ((0.06, 7200.0), (0.04, 1800.0), (0.03, 300.0), (0.02, 45.0)):
            period = rng.uniform(longest / 3, longest)
            self._waves.append((share, math.tau / period, rng.uniform(0, math.tau)))
        self._at_boot: dict[float, Reading] = {}

    def read(self, at: float) -> Reading:
        """Return the rates at ``at``, and the totals since an arbitrary but fixed time."""
        outage = self._outage
        up = outage is None or outage.up(at)
        t = (outage.warp(at) if outage else at) - START
        shape, area = 0.5, 0.5 * t
        for share, omega, phase in self._waves:
            angle = omega * t + phase
            shape += share * math.sin(angle)
            area -= share / omega * math.cos(angle)
        bps = shape * self._peak * self._catch_up_factor if up else 0.0
        # Computed from the bytes, so that both totals grow and stop together.
        octets = math.floor(area * self._peak / 8)
        size = self._packet_bytes
        return Reading(int(bps), int(bps / 8 / size), octets, octets // size)

    def read_since(self, at: float, *boots: float) -> list[Reading]:
        """Return the readings of the routers at its ends, which booted at ``boots``."""
        now = self.read(at)
        return [now.since(self._read_at_boot(boot)) for boot in boots]

    def _read_at_boot(self, boot: float) -> Reading:
        # Cached, because boots are rare and readings frequent; traffic passes at most two routers.
        # Streams and polled resources read in different threads: use what one look-up returned.
        reading = self._at_boot.get(boot)
        if reading is None:
            reading = self.read(boot)
            if len(self._at_boot) > 2:
                self._at_boot.clear()
            self._at_boot[boot] = reading
        return reading
