"""A simulator starts and stops."""

from __future__ import annotations

from tests.simulator.client import Client
from tests.simulator.conftest import StartSimulator


def test_stop_ends_open_streams(start_simulator: StartSimulator) -> None:
    """A simulator with an open stream stops without waiting for it, and the stream ends in an orderly way."""
    simulator = start_simulator(interval=3600, heartbeat=3600)
    with Client(simulator).stream() as response:
        assert simulator.wait(lambda: simulator.open_streams == 1)
        simulator.stop()
        assert response.raw.read()  # raises if the stream is broken off
    assert simulator.open_streams == 0
