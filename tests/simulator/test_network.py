"""The network is believable at every instant, and the same for everybody."""

from __future__ import annotations

import math
from collections import defaultdict
from itertools import islice, pairwise
from typing import Any

import pytest

from pf_exporter.simulator import Network, resources
from pf_exporter.simulator.traffic import DAY, START
from tests.simulator.conftest import NOW

Sample = dict[tuple[str, str], dict[str, Any]]
HOURS = 3600.0
RATES = ("bytes_rx_bps", "bytes_tx_bps", "packets_rx_pps", "packets_tx_pps")


def key(data: dict[str, Any]) -> str:
    """The circuit of an event; an end of a virtual circuit is told by its port, too."""
    return "&".join(data[name] for name in ("vc_circuit_id", "port_circuit_id") if name in data)


def sample(network: Network, at: float) -> Sample:
    return {(name, key(data)): data for name, data in network.measurements(at)}


@pytest.fixture(scope="module")
def network() -> Network:
    return Network(seed=1)


@pytest.fixture(scope="module")
def day(network: Network) -> list[Sample]:
    """One day in steps of two minutes."""
    return [sample(network, NOW + step * 120) for step in range(720)]


def reboot(network: Network) -> float:
    """An instant when the third router has just come back."""
    return network.ports[6].boot(NOW) + DAY


def test_a_seed_decides_everything() -> None:
    """Two networks of one seed tell the same story to the letter; another seed tells another."""
    first, again, other = (list(Network(seed).events(NOW + 600, NOW, 60)) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_history_can_be_had_in_parts(network: Network) -> None:
    """Asking for an hour in two uneven parts gives the events of the whole hour, in the same order."""
    whole = list(network.events(NOW + 3600, NOW, 300))
    parts = [*network.events(NOW + 1234.5, NOW, 300), *network.events(NOW + 3600, NOW + 1234.5, 300)]
    assert whole == parts
    assert {name.partition("|")[0] for name, _ in whole} == {"port", "vc", "customer"}


@pytest.mark.parametrize(("ports", "vcs"), [(0, 0), (0, 3), (1, 2), (2, 1), (5, 9), (60, 90)])
def test_any_size_can_be_had(ports: int, vcs: int) -> None:
    """A network has just the ports and circuits asked for, two events per circuit, and no two ids alike."""
    network = Network(3, ports, vcs)
    assert len({port.circuit_id for port in network.ports}) == ports
    circuits = [data for name, data in network.measurements(NOW) if name == "vc|metrics"]
    assert len(circuits) == (2 * vcs if ports else 0)
    assert len({(data["vc_circuit_id"], data["port_circuit_id"], data["vlan"]) for data in circuits}) == len(
        circuits
    )


def test_counters_fall_only_when_their_router_reboots(network: Network, day: list[Sample]) -> None:
    """In a day every counter of the third router's ports and circuits falls once, and no other ever."""
    rebooting = {port.circuit_id for port in network.ports[6:9]}
    falls: defaultdict[str, set[int]] = defaultdict(set)
    last: Sample = {}
    for step, now in enumerate(day):
        for which, data in now.items():
            before = last.get(which, data)
            counters = [name for name in data if name.endswith("_total")]
            if which[0] in ("port|errors", "port|etherstats"):
                counters = [name for name in data if name.startswith(("rx_", "tx_"))]
            if any(data[name] < before[name] for name in counters):
                falls[data["port_circuit_id"]].add(step)
        last |= now
    assert falls.keys() == rebooting
    assert len(set.union(*falls.values())) == 1


def test_a_rebooting_router_is_silent_and_then_counts_from_zero(network: Network) -> None:
    """While a router reboots nothing comes from it; a minute later its totals are those of a minute."""
    at = reboot(network)
    port = network.ports[6].circuit_id
    assert not any(key(data).endswith(port) for _, data in network.measurements(at - 1))
    data = sample(network, at + 60)["port|metrics", port]
    assert data["bytes_rx_total"] == pytest.approx(data["bytes_rx_bps"] / 8 * 60, rel=0.2)


def test_totals_are_the_integral_of_the_rates(network: Network) -> None:
    """Over twenty minutes, flaps and all, every total grows by what its rate adds up to, second by second."""
    at = reboot(network) + 3600
    samples = [sample(network, at + second) for second in range(1201)]
    for which in samples[0]:
        if not which[0].endswith("|metrics"):
            continue
        for total, rate, unit in (("bytes", "bps", 8), ("packets", "pps", 1)):
            for way in ("rx", "tx"):
                carried = sum(now[which][f"{total}_{way}_{rate}"] for now in samples[1:]) / unit
                grown = samples[-1][which][f"{total}_{way}_total"] - samples[0][which][f"{total}_{way}_total"]
                assert grown == pytest.approx(carried, rel=0.01)


def test_the_ends_of_a_circuit_mirror_each_other(network: Network) -> None:
    """What one end receives the other sends, in rates and, between reboots, in growth."""
    before, after = sample(network, reboot(network) + 60), sample(network, reboot(network) + 660)
    for circuit in network.circuits:
        a, z = (f"{circuit.circuit_id}&{end.port.circuit_id}" for end in (circuit.a, circuit.z))
        for here, there in ((a, z), (z, a)):
            one, other = after["vc|metrics", here], after["vc|metrics", there]
            assert one["bytes_rx_bps"] == other["bytes_tx_bps"]
            assert one["packets_rx_pps"] == other["packets_tx_pps"]
            grown = one["bytes_rx_total"] - before["vc|metrics", here]["bytes_rx_total"]
            assert grown == other["bytes_tx_total"] - before["vc|metrics", there]["bytes_tx_total"]


def test_a_lag_is_the_sum_of_its_members(network: Network, day: list[Sample]) -> None:
    """Rates, totals and errors of a LAG are its members' sums; it has no optics and no MAC of its own."""
    lag = network.ports[3]
    assert lag.circuit_id.startswith("PF-AE-")
    for now in day[::60]:
        for name in ("port|metrics", "port|errors"):
            members = [now[name, member.circuit_id] for member in lag.members]
            assert len(members) == 2
            for field, value in now[name, lag.circuit_id].items():
                if isinstance(value, int):
                    assert value == sum(member[field] for member in members)
        assert ("port|etherstats", lag.circuit_id) not in now
        assert ("port|optical", lag.circuit_id) not in now


def test_nothing_exceeds_what_it_runs_on(network: Network, day: list[Sample]) -> None:
    """Ports carry at least what their circuits do and at most their speed; circuits keep to their limit."""
    limits = {circuit.circuit_id: circuit.mbps * 1e6 for circuit in network.circuits}
    for now in day[::10]:
        circuits: defaultdict[str, float] = defaultdict(float)
        for (name, _), data in now.items():
            if name == "vc|metrics":
                circuits[data["port_circuit_id"]] += data["bytes_rx_bps"]
                assert data["bytes_rx_bps"] <= limits[data["vc_circuit_id"]]
        for port in network.ports:
            if port.reachable(NOW) and ("port|metrics", port.circuit_id) in now:
                carried = now["port|metrics", port.circuit_id]["bytes_rx_bps"]
                assert circuits[port.circuit_id] <= carried <= port.gbps * 1e9 * max(1, len(port.members))


def test_evenings_are_busier_than_mornings(day: list[Sample]) -> None:
    """All ports together carry half as much again at 20:00 UTC as at 08:00 UTC."""

    def carried(hour: float) -> int:
        step = int((hour * HOURS - NOW) % DAY / 120)
        return sum(data["bytes_rx_bps"] for (name, _), data in day[step].items() if name == "port|metrics")

    assert carried(20) > 1.5 * carried(8)


def test_packets_add_up(network: Network, day: list[Sample]) -> None:
    """Unicast, broadcast and multicast make the packets, which are those of the port's other counter."""
    for now in day[::60]:
        for (name, port), data in now.items():
            if name == "port|etherstats":
                for way in ("rx", "tx"):
                    kinds = (data[f"{way}_{kind}"] for kind in ("unicast", "broadcasts", "multicasts"))
                    assert sum(kinds) == data[f"{way}_packets"]
                    assert data[f"{way}_packets"] == now["port|metrics", port][f"packets_{way}_total"]
                    assert data[f"{way}_bytes"] > now["port|metrics", port][f"bytes_{way}_total"]
                assert data["rx_vlan_tagged_frames"] <= data["rx_packets"]


def test_a_flapping_port_goes_dark_and_comes_back(network: Network) -> None:
    """Every ten minutes the second port is down: no traffic, no light, so listed; then tx_carrier rises."""
    port = network.ports[1].circuit_id
    states, carrier = [], []
    for second in range(0, 601, 5):
        at = NOW + second
        row = next(row for row in resources.ports(network, at) if row["port_circuit_id"] == port)
        now = sample(network, at)
        up = row["operational_status"] == "up"
        states.append(up)
        assert all((now["port|metrics", port][rate] > 0) is up for rate in RATES)
        assert (now["port|optical", port]["lane_0_rx_dbm"] > -30) is up
        carrier.append(now["port|errors", port]["tx_carrier"])
    assert states.count(False) == 9
    assert carrier[-1] == carrier[0] + 1
    down_at = next(index for index, (was, is_) in enumerate(pairwise(states)) if was and not is_)
    assert carrier[down_at] == carrier[down_at + 1], "down is no transition, only up is"


def test_circuits_stop_with_their_port(network: Network) -> None:
    """A circuit that lands on a port that is down carries nothing, at either end."""
    flapping = network.ports[1]
    at = next(NOW + second for second in range(600) if not flapping.up(NOW + second))
    circuits = [circuit for circuit in network.circuits if flapping in (circuit.a.port, circuit.z.port)]
    assert circuits
    now = sample(network, at)
    for circuit in circuits:
        for end in (circuit.a, circuit.z):
            data = now["vc|metrics", f"{circuit.circuit_id}&{end.port.circuit_id}"]
            assert not any(data[rate] for rate in RATES)


def test_a_fibre_grows_dim(network: Network) -> None:
    """The third port receives less light every quarter of a day, by some 12 dB in three days."""
    begin = START + 3 * DAY * math.ceil((NOW - START) / (3 * DAY))
    which = "port|optical", network.ports[2].circuit_id
    light = [sample(network, begin + quarter * DAY / 4)[which]["lane_0_rx_dbm"] for quarter in range(12)]
    assert light == sorted(light, reverse=True)
    assert light[0] - light[-1] == pytest.approx(11, abs=0.3)


def test_lanes_suit_the_optics(network: Network, day: list[Sample]) -> None:
    """Four lanes for LR4, one otherwise; dBm and mW say the same; lanes that are not there read zero."""
    media = {row["port_circuit_id"]: row["media"] for row in resources.ports(network, NOW)}
    assert {"LR", "LX", "LR4"} <= set(media.values())
    for (name, port), data in day[0].items():
        if name != "port|optical":
            continue
        for lane in range(4):
            values = {
                field: data[f"lane_{lane}_{field}"] for field in ("rx_dbm", "rx_power", "tx_dbm", "tx_power")
            }
            if lane < (4 if media[port] == "LR4" else 1):
                for way in ("rx", "tx"):
                    milliwatts = 10 ** (values[f"{way}_dbm"] / 10)
                    assert values[f"{way}_power"] == pytest.approx(milliwatts, abs=5.1e-5)
                assert 20 < data[f"lane_{lane}_bias_current"] < 60
            else:
                assert not any(values.values())


def test_errors_come_in_bursts(network: Network) -> None:
    """Damaged frames on the first port rise for a moment every half hour; other ports have none."""
    port = network.ports[0].circuit_id
    framing, crc = [], []
    for minute in range(60):
        now = sample(network, NOW + minute * 60)
        framing.append(now["port|errors", port]["rx_framing"])
        crc.append(now["port|etherstats", port]["rx_crc_errors"])
        assert now["port|errors", network.ports[3].circuit_id]["rx_framing"] == 0
    assert framing == crc
    assert 2 <= sum(a < b for a, b in pairwise(framing)) <= 6
    assert framing[-1] - framing[0] == pytest.approx(1400, abs=700)


def test_people_leave_traces(network: Network) -> None:
    """The activity log has names, addresses, both ways to write a time, and logins without a user."""
    log = list(islice(network.activity(NOW + DAY, NOW), 400))
    assert {"customer|auth", "customer|physical_interface", "customer|bgp"} <= {name for name, _ in log}
    assert {str(data["timestamp"])[26:] for _, data in log} == {"", "+0000"}
    logins = [data for _, data in log if data["event"] == "login"]
    assert any("Hank Aaron" in str(data["message"]) and "ip_address" in data for data in logins)
    assert all("user" not in data for data in logins)
    assert any(data.get("user") == "system" for _, data in log)
