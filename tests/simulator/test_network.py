"""The traffic of the network is consistent at every time, and depends only on the seed and the time."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import pytest

from pf_exporter.simulator import Network
from pf_exporter.simulator.resources import Query
from pf_exporter.simulator.resources.ports import port_row
from pf_exporter.simulator.traffic import DAY
from tests.simulator.conftest import NOW
from tests.simulator.samples import RATES, Sample, circuit_key, reboot_time, take_sample

HOUR = 3600.0


def test_events_depend_on_the_seed() -> None:
    """Two networks with the same seed yield the same events; another seed yields others."""
    first, second, other = (
        [*network.measurements(NOW), *network.activity(NOW + 600, NOW)] for network in map(Network, (7, 7, 8))
    )
    assert first == second
    assert first != other


@pytest.mark.parametrize(("ports", "vcs"), [(0, 0), (0, 3), (1, 2), (2, 1), (5, 9), (60, 90)])
def test_network_of_any_size(ports: int, vcs: int) -> None:
    """A network has the requested ports and circuits, two events per circuit, and unique IDs."""
    network = Network(3, ports, vcs)
    assert len({port.circuit_id for port in network.ports}) == ports
    circuits = [data for name, data in network.measurements(NOW) if name == "vc|metrics"]
    assert len(circuits) == (2 * vcs if ports else 0)
    ends = {(data["vc_circuit_id"], data["port_circuit_id"], data["vlan"]) for data in circuits}
    assert len(ends) == len(circuits)


def test_counters_reset_only_at_a_reboot(network: Network, day: list[Sample]) -> None:
    """In a day all counters of the third router reset once, and no other counter resets."""
    rebooting = {port.circuit_id for port in network.ports[6:9]}
    resets: defaultdict[str, set[int]] = defaultdict(set)
    last: Sample = {}
    for step, sample in enumerate(day):
        for key, data in sample.items():
            before = last.get(key, data)
            counters = [name for name in data if name.endswith("_total")]
            if key[0] in ("port|errors", "port|etherstats"):
                counters = [name for name in data if name.startswith(("rx_", "tx_"))]
            if any(data[name] < before[name] for name in counters):
                resets[data["port_circuit_id"]].add(step)
        last |= sample
    assert resets.keys() == rebooting
    assert len(set.union(*resets.values())) == 1


def test_a_reboot_resets_counters_to_zero(network: Network) -> None:
    """A rebooting router sends nothing; a minute later its totals are those of one minute."""
    at = reboot_time(network, NOW)
    port = network.ports[6].circuit_id
    assert not any(circuit_key(data).endswith(port) for _, data in network.measurements(at - 1))
    data = take_sample(network, at + 60)["port|metrics", port]
    assert data["bytes_rx_total"] == pytest.approx(data["bytes_rx_bps"] / 8 * 60, rel=0.2)


@pytest.mark.no_cover
def test_totals_are_the_integral_of_the_rates(network: Network) -> None:
    """Over twenty minutes, outages included, every total grows by the sum of its rate."""
    at = reboot_time(network, NOW) + 3600
    samples = [take_sample(network, at + second) for second in range(1201)]
    for key in samples[0]:
        if not key[0].endswith("|metrics"):
            continue
        for total, rate, unit in (("bytes", "bps", 8), ("packets", "pps", 1)):
            for direction in ("rx", "tx"):
                carried = sum(sample[key][f"{total}_{direction}_{rate}"] for sample in samples[1:]) / unit
                field = f"{total}_{direction}_total"
                increase = samples[-1][key][field] - samples[0][key][field]
                assert increase == pytest.approx(carried, rel=0.01)


def test_the_ends_of_a_circuit_match(network: Network) -> None:
    """What one end receives, the other transmits: the same rates and, between reboots, the same increase."""
    reboot = reboot_time(network, NOW)
    before, after = take_sample(network, reboot + 60), take_sample(network, reboot + 660)
    for circuit in network.circuits:
        a, z = (f"{circuit.circuit_id}&{end.port.circuit_id}" for end in (circuit.a, circuit.z))
        for near, far in ((a, z), (z, a)):
            received, transmitted = after["vc|metrics", near], after["vc|metrics", far]
            assert received["bytes_rx_bps"] == transmitted["bytes_tx_bps"]
            assert received["packets_rx_pps"] == transmitted["packets_tx_pps"]
            increase = received["bytes_rx_total"] - before["vc|metrics", near]["bytes_rx_total"]
            assert increase == transmitted["bytes_tx_total"] - before["vc|metrics", far]["bytes_tx_total"]


def test_a_lag_is_the_sum_of_its_members(network: Network, day: list[Sample]) -> None:
    """Rates, totals and errors of a LAG are its members' sums; it has no optical and etherstats events."""
    lag = network.ports[3]
    assert lag.circuit_id.startswith("PF-AE-")
    for sample in day[::60]:
        for name in ("port|metrics", "port|errors"):
            members = [sample[name, member.circuit_id] for member in lag.members]
            assert len(members) == 2
            for field, value in sample[name, lag.circuit_id].items():
                if isinstance(value, int):
                    assert value == sum(member[field] for member in members)
        assert ("port|etherstats", lag.circuit_id) not in sample
        assert ("port|optical", lag.circuit_id) not in sample


def test_rates_respect_limits(network: Network, day: list[Sample]) -> None:
    """A port's rate is between that of its circuits and its speed; a circuit's is at most its bandwidth."""
    limits = {circuit.circuit_id: circuit.mbps * 1e6 for circuit in network.circuits}
    for sample in day[::10]:
        circuits: defaultdict[str, float] = defaultdict(float)
        for (name, _), data in sample.items():
            if name == "vc|metrics":
                circuits[data["port_circuit_id"]] += data["bytes_rx_bps"]
                assert data["bytes_rx_bps"] <= limits[data["vc_circuit_id"]]
        for port in network.ports:
            if port.reachable(NOW) and ("port|metrics", port.circuit_id) in sample:
                rate = sample["port|metrics", port.circuit_id]["bytes_rx_bps"]
                assert circuits[port.circuit_id] <= rate <= port.gbps * 1e9 * max(1, len(port.members))


def test_traffic_has_a_daily_cycle(day: list[Sample]) -> None:
    """The rate of all ports together is over 1.5 times higher at 20:00 UTC than at 08:00 UTC."""

    def rate(hour: float) -> int:
        step = int((hour * HOUR - NOW) % DAY / 120)
        return sum(data["bytes_rx_bps"] for (name, _), data in day[step].items() if name == "port|metrics")

    assert rate(20) > 1.5 * rate(8)


def test_a_flapping_port(network: Network) -> None:
    """The second port is down every ten minutes: no traffic, no light, then one more carrier transition."""
    port = network.ports[1].circuit_id
    states, carrier = [], []
    for second in range(0, 601, 5):
        at = NOW + second
        row = port_row(Query(network, at), network.ports[1])
        sample = take_sample(network, at)
        up = row["operational_status"] == "up"
        states.append(up)
        assert all((sample["port|metrics", port][rate] > 0) is up for rate in RATES)
        assert (sample["port|optical", port]["lane_0_rx_dbm"] > -30) is up
        carrier.append(sample["port|errors", port]["tx_carrier"])
    assert states.count(False) == 9
    assert carrier[-1] == carrier[0] + 1
    went_down = next(index for index, (before, after) in enumerate(pairwise(states)) if before and not after)
    assert carrier[went_down] == carrier[went_down + 1], "only coming up is counted as a transition"


def test_circuits_are_down_with_their_port(network: Network) -> None:
    """A circuit on a port that is down carries nothing, at either end."""
    flapping = network.ports[1]
    at = next(NOW + second for second in range(600) if not flapping.up(NOW + second))
    circuits = [circuit for circuit in network.circuits if flapping in (circuit.a.port, circuit.z.port)]
    assert circuits
    sample = take_sample(network, at)
    for circuit in circuits:
        for end in (circuit.a, circuit.z):
            data = sample["vc|metrics", f"{circuit.circuit_id}&{end.port.circuit_id}"]
            assert not any(data[rate] for rate in RATES)
