"""The wait between two polls."""

from __future__ import annotations

import threading

import pytest

from pf_exporter.inventory.pause import Pause


class FakeEvent(threading.Event):
    """An event whose waits end at once; they are recorded under its name."""

    def __init__(self, name: str, waits: list[tuple[str, float | None]]) -> None:
        super().__init__()
        self._name = name
        self._waits = waits

    def wait(self, timeout: float | None = None) -> bool:
        self._waits.append((self._name, timeout))
        return self.is_set()


@pytest.fixture
def waits() -> list[tuple[str, float | None]]:
    return []


@pytest.fixture
def pause(waits: list[tuple[str, float | None]]) -> Pause:
    return Pause(FakeEvent("stopping", waits), FakeEvent("requested", waits))


def test_a_refresh_ends_only_the_time_after_the_minimum(
    pause: Pause, waits: list[tuple[str, float | None]]
) -> None:
    """The minimum is waited for the end alone, the rest for a refresh; each wait uses up the refresh."""
    pause.refresh()
    assert pause.refresh_requested
    pause.wait(60.0, 3600.0)
    assert waits == [("stopping", 60.0), ("requested", 3540.0)]
    assert not pause.refresh_requested


def test_stop_ends_both_parts(pause: Pause, waits: list[tuple[str, float | None]]) -> None:
    """Once stopped, nothing waits for a refresh any more, and sleep() returns False."""
    assert pause.sleep(1.0)
    pause.stop()
    assert pause.stopped
    pause.wait(60.0, 3600.0)
    assert not pause.sleep(1.0)
    assert waits == [("stopping", 1.0), ("stopping", 60.0), ("stopping", 1.0)]


def test_a_wait_is_interrupted() -> None:
    """A wait of an hour ends when another thread requests a refresh, or the end."""
    for end in (Pause.refresh, Pause.stop):
        pause = Pause()
        thread = threading.Thread(target=pause.wait, args=(0.0 if end is Pause.refresh else 3600.0, 7200.0))
        thread.start()
        end(pause)
        thread.join(10)
        assert not thread.is_alive()
