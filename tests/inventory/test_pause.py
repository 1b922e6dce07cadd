"""The wait between two polls."""

from __future__ import annotations

import threading
from collections.abc import Callable

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


def test_a_refresh_ends_one_wait(pause: Pause, waits: list[tuple[str, float | None]]) -> None:
    """A refresh ends the wait that it finds; only a stop ends the waits from then until the poll begins."""
    pause.wait(3600.0, is_requested=False)
    pause.refresh()
    pause.wait(60.0, is_requested=pause.refresh_requested)
    pause.refreshed()
    pause.wait(3600.0, is_requested=pause.refresh_requested)
    assert waits == [("requested", 3600.0), ("stopping", 60.0), ("requested", 3600.0)]


def test_stop_ends_all_waits(pause: Pause, waits: list[tuple[str, float | None]]) -> None:
    """Once stopped, nothing waits for a refresh any more, and sleep() returns False."""
    assert pause.sleep(1.0)
    pause.stop()
    assert pause.stopped
    pause.wait(3600.0, is_requested=pause.refresh_requested)
    assert not pause.sleep(1.0)
    assert waits == [("stopping", 1.0), ("stopping", 3600.0), ("stopping", 1.0)]


@pytest.mark.parametrize("end", [Pause.refresh, Pause.stop])
@pytest.mark.parametrize("is_early", [False, True])
def test_a_wait_is_interrupted(end: Callable[[Pause], None], is_early: bool) -> None:
    """A wait of an hour ends when another thread requests a refresh or the end, even right before it."""
    pause = Pause()
    is_requested = pause.refresh_requested
    if is_early:
        end(pause)
    thread = threading.Thread(
        target=pause.wait, args=(3600.0,), kwargs={"is_requested": is_requested}, daemon=True
    )
    thread.start()
    end(pause)
    thread.join(60)
    assert not thread.is_alive()
