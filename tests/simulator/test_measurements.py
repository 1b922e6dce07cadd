"""The counters of one port are consistent with each other."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pf_exporter.simulator import Network
from tests.simulator.conftest import NOW
from tests.simulator.samples import Sample, take_sample


def test_packets_add_up(day: list[Sample]) -> None:
    """Unicast, broadcast and multicast add up to all packets, which port|metrics counts as well."""
    for sample in day[::60]:
        for (name, port), data in sample.items():
            if name != "port|etherstats":
                continue
            metrics = sample["port|metrics", port]
            for direction in ("rx", "tx"):
                parts = (data[f"{direction}_{part}"] for part in ("unicast", "broadcasts", "multicasts"))
                assert sum(parts) == data[f"{direction}_packets"]
                assert data[f"{direction}_packets"] == metrics[f"packets_{direction}_total"]
                assert data[f"{direction}_bytes"] > metrics[f"bytes_{direction}_total"]
            assert data["rx_vlan_tagged_frames"] <= data["rx_packets"]


def test_errors_come_in_bursts(network: Network) -> None:
    """The first port receives a burst of damaged frames every half hour; other ports receive none."""
    port = network.ports[0].circuit_id
    framing, crc = [], []
    for minute in range(60):
        sample = take_sample(network, NOW + minute * 60)
        framing.append(sample["port|errors", port]["rx_framing"])
        crc.append(sample["port|etherstats", port]["rx_crc_errors"])
        assert sample["port|errors", network.ports[3].circuit_id]["rx_framing"] == 0
    assert framing == crc
    assert 2 <= sum(before < after for before, after in pairwise(framing)) <= 6
    assert framing[-1] - framing[0] == pytest.approx(1400, abs=700)
