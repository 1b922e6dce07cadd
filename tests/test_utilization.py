"""How busy a circuit is."""

from __future__ import annotations

import pytest

from pf_exporter.top.circuit import Circuit, Kind
from pf_exporter.utilization import Utilization, utilization
from pf_exporter.web.circuits import CircuitState, Port, Traffic


def test_the_share_decides_then_the_rate() -> None:
    """A full port is busier than a faster one with more traffic; the rate decides between equal shares."""
    full, half, unknown, idle = (
        utilization([(1e9, 1e9)]),
        utilization([(5e9, 10e9), (2e9, 10e9)]),
        utilization([(9e9, None)]),
        utilization([(0.0, 1e9)]),
    )
    assert sorted(filter(None, (idle, full, unknown, half)), reverse=True) == [full, half, unknown, idle]


@pytest.mark.parametrize("speed", [None, 1e10])
@pytest.mark.parametrize("rates", [(3e9, 4e9), (None, 1e9), (None, None)])
def test_one_definition(rates: tuple[float | None, float | None], speed: float | None) -> None:
    """The status page and `top` sort by the same number."""
    receive, transmit = rates
    of_top = Circuit(Kind.PORTS, "a", "b", speed=speed, receive=receive, transmit=transmit).utilization
    port = Port("a", "b", "", CircuitState.UP, speed, "", "", "", Traffic(receive, transmit))
    assert port.utilization == (of_top or Utilization())
