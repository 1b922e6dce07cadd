"""A simulator that listens on any free port, in haste, at a time that tests set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pf_exporter.simulator import Options, Simulator
from tests.simulator.client import Client

NOW = 1_790_000_000.0


class Clock:
    """UNIX seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def simulate(clock: Clock) -> Iterator[Callable[..., Simulator]]:
    """Starts simulators with the given options, and stops them."""
    started: list[Simulator] = []

    def start(**options: Any) -> Simulator:
        settings: dict[str, Any] = {"interval": 0.05, "listen_address": "127.0.0.1:0"} | options
        simulator = Simulator(Options(**settings), clock)
        started.append(simulator)
        simulator.start()
        return simulator

    yield start
    for simulator in started:
        simulator.stop()


@pytest.fixture
def simulator(simulate: Callable[..., Simulator]) -> Simulator:
    return simulate()


@pytest.fixture
def client(simulator: Simulator) -> Client:
    return Client(simulator)
