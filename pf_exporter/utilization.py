"""How busy a circuit is: the one order of the status page and of ``pf-exporter top``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Utilization(NamedTuple):
    """Of the busiest direction; the larger one is the busier circuit."""

    share: float = 0.0
    """Part of the speed; 0 if it is not known."""
    rate: float = 0.0
    """Bits per second; decides between equal shares."""


def utilization(directions: Iterable[tuple[float | None, float | None]]) -> Utilization | None:
    """The utilization of a circuit from the rate and the speed of each direction; None without a rate.

    >>> utilization([(2e9, 10e9), (None, 10e9)]), utilization([(None, 1e9)])
    (Utilization(share=0.2, rate=2000000000.0), None)
    """
    busy = [
        Utilization(rate / speed if speed else 0.0, rate) for rate, speed in directions if rate is not None
    ]
    return max(busy, default=None)
