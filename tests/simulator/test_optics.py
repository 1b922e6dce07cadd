"""The optical data of a port suits its optics and changes over days."""

from __future__ import annotations

import math

import pytest

from pf_exporter.simulator import Network
from pf_exporter.simulator.resources import Query
from pf_exporter.simulator.resources.ports import port_row
from pf_exporter.simulator.traffic import DAY, START
from tests.simulator.conftest import NOW
from tests.simulator.samples import Sample, take_sample


def test_degrading_optical_power(network: Network) -> None:
    """The third port receives less power every quarter of a day, about 12 dB in three days."""
    begin = START + 3 * DAY * math.ceil((NOW - START) / (3 * DAY))
    key = "port|optical", network.ports[2].circuit_id
    power = [take_sample(network, begin + quarter * DAY / 4)[key]["lane_0_rx_dbm"] for quarter in range(12)]
    assert power == sorted(power, reverse=True)
    assert power[0] - power[-1] == pytest.approx(11, abs=0.3)


def test_lanes_match_the_optics(network: Network, day: list[Sample]) -> None:
    """LR4 has four lanes, other optics one; dBm and mW are the same power; absent lanes are zero."""
    media = {port.circuit_id: port_row(Query(network, NOW), port)["media"] for port in network.ports}
    assert {"LR", "LX", "LR4"} <= set(media.values())
    for (name, port), data in day[0].items():
        if name != "port|optical":
            continue
        for lane in range(4):
            values = {
                field: data[f"lane_{lane}_{field}"] for field in ("rx_dbm", "rx_power", "tx_dbm", "tx_power")
            }
            if lane < (4 if media[port] == "LR4" else 1):
                for direction in ("rx", "tx"):
                    milliwatts = 10 ** (values[f"{direction}_dbm"] / 10)
                    assert values[f"{direction}_power"] == pytest.approx(milliwatts, abs=5.1e-5)
                assert 20 < data[f"lane_{lane}_bias_current"] < 60
            else:
                assert not any(values.values())
