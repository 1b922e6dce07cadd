"""Outages are periodic, and traffic is read relative to the boot of a router."""

from __future__ import annotations

import random

from pf_exporter.simulator.traffic import START, Outage, Traffic

OUTAGE = Outage(period=100, down=20)


def test_an_outage_is_the_end_of_each_period() -> None:
    """It is up for 80 of 100 seconds, and the number of recoveries increases with each period."""
    assert [OUTAGE.up(START + second) for second in (0, 79, 80, 99, 100)] == [True, True, False, False, True]
    assert [OUTAGE.recoveries(START + second) for second in (0, 99, 100)] == [1, 1, 2]
    assert OUTAGE.last_recovery(START + 150) == START + 100


def test_an_outage_does_not_change_the_total_of_a_period() -> None:
    """Totals are constant while down, and at the end of a period as if there had been no outage."""
    plain = Traffic(random.Random(1), 1e9, 500)
    interrupted = Traffic(random.Random(1), 1e9, 500, OUTAGE)
    down, still_down = interrupted.read(START + 85), interrupted.read(START + 95)
    assert (down.bps, down.pps) == (0, 0)
    assert (down.bytes, down.packets) == (still_down.bytes, still_down.packets)
    # The peak is lower by the factor that the rate is higher while up.
    ratio = 1 / OUTAGE.catch_up_factor
    increase = interrupted.read(START + 300).bytes - interrupted.read(START).bytes
    expected = ratio * (plain.read(START + 300).bytes - plain.read(START).bytes)
    assert abs(increase - expected) <= 2


def test_totals_since_boot() -> None:
    """Each of the two routers counts from its own boot; the rates are the same."""
    traffic = Traffic(random.Random(1), 1e9, 500)
    at, boots = START + 1000, (START + 10, START + 500)
    first, second = traffic.read_since(at, *boots)
    assert first.bps == second.bps
    assert first.bytes == traffic.read(at).bytes - traffic.read(boots[0]).bytes
    assert first.bytes - second.bytes == traffic.read(boots[1]).bytes - traffic.read(boots[0]).bytes
