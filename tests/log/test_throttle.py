"""What a throttle admits."""

from __future__ import annotations

from pf_exporter.log import Throttle


def test_each_key_has_its_own_time() -> None:
    """A key is admitted again once the time has passed since it was admitted; others do not matter."""
    times = iter([5.0, 64.9, 64.9, 65.0, 65.0])
    throttle = Throttle(lambda: next(times))
    assert [throttle.admits(key, 60.0) for key in "aabab"] == [True, False, True, True, False]


def test_once() -> None:
    """With an infinite time a key is admitted once."""
    throttle = Throttle(lambda: 5.0)
    assert [throttle.admits("a", float("inf")) for _ in range(3)] == [True, False, False]
