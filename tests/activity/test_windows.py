"""When which time of the log is read."""

from __future__ import annotations

from pf_exporter.activity.windows import MARGIN, Window, Windows


def test_looks() -> None:
    """A gap is due when it has ended, and again after the margin; gaps that touch are joined."""
    windows = Windows()
    windows.add(1000, 1100)
    windows.add(1100 + 2 * MARGIN, 1200 + 2 * MARGIN)
    windows.add(5000, 5000)
    assert windows.next_due() == 1100
    assert windows.take(1099) == []
    now = 1200 + 2 * MARGIN
    assert windows.take(now) == [Window(700, now + MARGIN, 1100)]
    assert windows.next_due() == now + MARGIN
    windows.put_back([Window(1, 2, 3)])
    assert windows.next_due() == 3
    assert windows.take(4999) == [Window(1, 2, 3), Window(1400, now + MARGIN, now + MARGIN)]
    assert windows.take(10_000) == [Window(4700, 5300, 5000)]
    windows.add(20_000, 20_000, 60)
    assert windows.take(20_000) == [Window(19_940, 20_300, 20_000)]
    assert windows.take(20_300) == [Window(19_940, 20_300, 20_300)]
    assert windows.next_due() == float("inf")


def test_take_all() -> None:
    """What is waiting can pass to another memory, with the time of each look."""
    windows = Windows()
    windows.add(1000, 1100)
    both = [Window(700, 1400, 1100), Window(700, 1400, 1400)]
    assert windows.take_all() == both
    assert windows.take_all() == []
    windows.put_back(both)
    assert windows.take(1100) == both[:1]
