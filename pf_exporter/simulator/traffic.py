"""Traffic in one direction, known at any instant: a rate, and the integral of that rate."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

START = 1_704_067_200.0
"""2024-01-01T00:00:00Z, when this world begins; instants are UNIX seconds not before it."""

DAY = 86400.0


class Reading(NamedTuple):
    """What a router's counters say of a flow: bits/s, packets/s, and bytes and packets so far."""

    bps: int
    pps: int
    bytes: int
    packets: int

    def since(self, mark: Reading) -> Reading:
        """The same rates, with totals that began at zero when ``mark`` was taken."""
        return Reading(self.bps, self.pps, self.bytes - mark.bytes, self.packets - mark.packets)


def total(readings: Iterable[Reading]) -> Reading:
    """All readings as one.

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
    """What fails again and again: the last ``down`` seconds of every ``period`` are without service."""

    period: float
    down: float
    offset: float = 0.0

    def up(self, at: float) -> bool:
        """Whether there is service."""
        return (at - START - self.offset) % self.period < self.period - self.down

    def recoveries(self, at: float) -> int:
        """How often it has come up since the beginning of the world."""
        return int((at - START - self.offset) // self.period) + 1

    def came_up(self, at: float) -> float:
        """The instant when it last came up."""
        return START + self.offset + (self.recoveries(at) - 1) * self.period

    @property
    def catch_up_factor(self) -> float:
        """How much faster traffic runs while it can, so that a period carries what it would have anyway."""
        return self.period / (self.period - self.down)

    def warp(self, at: float) -> float:
        """The instant whose total is reached at ``at``: stands still while down, and is right after a period.

        This keeps totals exact integrals without adding up every outage there ever was.
        """
        begin = self.came_up(at)
        return begin + min((at - begin) * self.catch_up_factor, self.period)


class Traffic:
    """One direction of traffic: the tides of day and week under waves of seconds to hours, as noise.

    The rate is a sum of sines between 0.05 and 0.95 of ``peak`` bits/s, so its integral needs no summing up.
    """

    def __init__(
        self, rng: random.Random, peak: float, packet_bytes: int, outage: Outage | None = None
    ) -> None:
        self._outage = outage
        self._haste = outage.catch_up_factor if outage else 1.0
        self._peak = peak / self._haste
        self._packet_bytes = packet_bytes
        # (share of the peak, radians per second, phase); the tide is high around 20:00 UTC.
        self._waves = [(0.25, math.tau / DAY, -math.tau * (14 + rng.gauss(0, 1.5)) / 24)]
        self._waves.append((0.05, math.tau / (7 * DAY), rng.uniform(0, math.tau)))
        for share, longest in ((0.06, 7200.0), (0.04, 1800.0), (0.03, 300.0), (0.02, 45.0)):
            period = rng.uniform(longest / 3, longest)
            self._waves.append((share, math.tau / period, rng.uniform(0, math.tau)))
        self._marks: dict[float, Reading] = {}

    def read(self, at: float) -> Reading:
        """Rates at ``at``, and totals counted from an arbitrary but fixed zero."""
        outage = self._outage
        up = outage is None or outage.up(at)
        t = (outage.warp(at) if outage else at) - START
        shape, area = 0.5, 0.5 * t
        for share, omega, phase in self._waves:
            angle = omega * t + phase
            shape += share * math.sin(angle)
            area -= share / omega * math.cos(angle)
        bps = shape * self._peak * self._haste if up else 0.0
        # Packets follow from bytes, so that both grow and stand still together.
        octets = math.floor(area * self._peak / 8)
        size = self._packet_bytes
        return Reading(int(bps), int(bps / 8 / size), octets, octets // size)

    def read_since(self, at: float, boots: tuple[float, float]) -> tuple[Reading, Reading]:
        """As :meth:`read`, as counted by the two routers at its ends, which booted at ``boots``."""
        now = self.read(at)
        first, second = boots
        return now.since(self._at(first)), now.since(self._at(second))

    def _at(self, boot: float) -> Reading:
        # A router boots rarely and is asked often; no more than two routers are on the way.
        if boot not in self._marks:
            if len(self._marks) > 2:
                self._marks.clear()
            self._marks[boot] = self.read(boot)
        return self._marks[boot]
