"""A fast simulator on a free port, at a time that tests set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import pytest

from pf_exporter.simulator import Network, Options, Simulator
from tests.simulator.client import Client
from tests.simulator.samples import Sample, take_sample

NOW = 1_790_000_000.0


class Clock:
    """UNIX seconds that advance only when a test sets them."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


class StartSimulator(Protocol):
    """Starts a simulator with the given options; the fixture stops it."""

    def __call__(self, **options: Any) -> Simulator: ...


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start_simulator(clock: Clock) -> Iterator[StartSimulator]:
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
def simulator(start_simulator: StartSimulator) -> Simulator:
    return start_simulator()


@pytest.fixture
def client(simulator: Simulator) -> Client:
    return Client(simulator)


@pytest.fixture(scope="package")
def network() -> Network:
    return Network(seed=1)


@pytest.fixture(scope="package")
def day(network: Network) -> list[Sample]:
    """One day in steps of two minutes."""
    return [take_sample(network, NOW + step * 120) for step in range(720)]
