"""The history agrees with what streams sent at the same times."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from pf_exporter.simulator import Network
from tests.simulator.client import Client
from tests.simulator.conftest import NOW, Clock
from tests.simulator.samples import Sample, reboot_time, take_sample

HOUR = range(1_790_000_000 // 60 * 60 - 3540, 1_790_000_001, 60)
"""The minutes of the last hour."""


@pytest.fixture(scope="module")
def hour(network: Network) -> list[tuple[int, Sample]]:
    return [(minute, take_sample(network, minute)) for minute in HOUR]


def history(client: Client, path: str, **query: object) -> Any:
    response = client.request("GET", f"/v2/metrics/{path}", **query)
    assert response.status_code == 200, response.text
    return response.json()


def triples(minute: int, *values: int) -> list[int]:
    return [minute, *(value for value in values for _ in range(3))]


def test_rates_of_every_circuit(client: Client, network: Network, hour: list[tuple[int, Sample]]) -> None:
    """Every minute of each port, LAG and VC end has the rates that streams send at that time."""
    paths = {("port|metrics", port.circuit_id): ("ifd", port.circuit_id) for port in network.ports}
    for circuit in network.circuits:
        for end in (circuit.a, circuit.z):
            vc, port = circuit.circuit_id, end.port.circuit_id
            paths["vc|metrics", f"{vc}&{port}"] = (f"virtual-circuits/{vc}/interfaces/{port}", "")
    assert len(paths) == 44
    for key, (kind, port) in paths.items():
        for rate, quantity in (("bps", "bytes"), ("pps", "packets")):
            expected = [
                triples(
                    minute, *(sample[key][f"{quantity}_{direction}_{rate}"] for direction in ("rx", "tx"))
                )
                for minute, sample in hour
                if key in sample
            ]
            assert history(client, f"{kind}/rate/{rate}/{port}".rstrip("/")) == expected, key


def test_errors_and_optics(client: Client, network: Network, hour: list[tuple[int, Sample]]) -> None:
    """Rows of errors, packets by kind and optics have the streamed values in the documented order."""
    for port in network.ports:
        name = port.circuit_id
        rows = {
            kind: history(client, f"ifd/{kind}/{name}")
            for kind in ("errors", "whatcast", "optic-data", "temperature")
        }
        if port.members:
            assert rows["optic-data"] == rows["temperature"] == []
        assert {len(row) for row in rows["errors"]} == {29}
        for index, (minute, sample) in enumerate(hour):
            errors = [value for field, value in sample["port|errors", name].items() if field[1:3] == "x_"]
            assert rows["errors"][index][0] == minute
            assert rows["errors"][index][2:21] == errors
            if port.members:
                continue
            mac, optical = sample["port|etherstats", name], sample["port|optical", name]
            casts = [
                mac[f"{way}_{cast}"]
                for way in ("rx", "tx")
                for cast in ("broadcasts", "multicasts", "unicast")
            ]
            assert rows["whatcast"][index][2:] == casts
            assert rows["errors"][index][22] == mac["rx_crc_errors"]
            time, temperature, voltage, *lanes = rows["optic-data"][index]
            assert [time, temperature] == rows["temperature"][index]
            assert 3 < voltage < 3.6
            for lane in range(4):
                values = [optical[f"lane_{lane}_bias_current"], None, optical[f"lane_{lane}_rx_dbm"]]
                assert lanes[3 * lane : 3 * lane + 3] == (values if lane < port.lanes else [None] * 3)


def test_a_rebooting_router_has_no_rows(client: Client, clock: Clock, network: Network) -> None:
    """The minutes in which a router sends no events are missing from its history."""
    clock.now = reboot_time(network, NOW) + 300
    port = network.ports[6].circuit_id
    assert 50 < len(history(client, f"ifd/rate/bps/{port}")) <= 57


def means(rows: Iterable[list[float]], column: int) -> float:
    values = [row[column] for row in rows]
    return sum(values) / len(values)


def test_an_interval_groups_minutes(client: Client) -> None:
    """With an interval, a row has the average, minimum and maximum of the minutes that it stands for."""
    port = client.simulator.network.ports[0].circuit_id
    query = {"start": "2026-09-21 13:00:00", "end": "2026-09-21T13:59:59Z"}
    minutes = history(client, f"ifd/rate/bps/{port}", **query)
    groups = history(client, f"ifd/rate/bps/{port}", interval=900, **query)
    assert len(minutes) == 60
    assert [row[0] for row in groups] == [minutes[0][0] + 900 * index for index in range(4)]
    assert groups[1][1] == int(means(minutes[15:30], 1))
    assert groups[1][2:4] == [min(row[1] for row in minutes[15:30]), max(row[1] for row in minutes[15:30])]
    assert groups[1][2] < groups[1][1] < groups[1][3]
    coarse = history(client, f"ifd/optic-data/{port}", interval=3600, **query)
    assert len(coarse) == 1
    assert coarse[0][5] == pytest.approx(means(history(client, f"ifd/optic-data/{port}", **query), 5))


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 60),
        ({"since": "24 hours ago"}, 1440),
        ({"since": "2 hours ago", "until": "1 hour ago"}, 60),
        ({"start": "2026-09-21T12:00:00.000", "end": "2026-09-21T12:10:00"}, 11),
        ({"start": "2026-09-21T14:00:00.000Z+02:00", "end": "2026-09-21T05:10:00-0700"}, 11),
        ({"start": "2026-09-21 14:13:00"}, 1),
        ({"start": "2027-01-01"}, 0),
    ],
)
def test_time_ranges(client: Client, query: dict[str, str], count: int) -> None:
    """A range is relative or absolute, in UTC without a zone, and ends no later than now."""
    rows = history(client, "cloud-router-connections/PF-L3-CON-4000001/rate/bps", **query)
    assert len(rows) == count


@pytest.mark.parametrize(
    "query",
    [
        {"since": "a while ago"},
        {"start": "yesterday"},
        {"start": "2026-13-01"},
        {"since": "367 days ago"},
        {"interval": "fast"},
    ],
)
def test_invalid_time_ranges(client: Client, query: dict[str, str]) -> None:
    """Invalid times, intervals and ranges return 400."""
    port = client.simulator.network.ports[0].circuit_id
    response = client.request("GET", f"/v2/metrics/ifd/rate/bps/{port}", **query)
    assert (response.status_code, next(iter(query)) in response.json()["message"]) == (
        400,
        "367" not in query.get("since", ""),
    )


@pytest.mark.parametrize(
    "path",
    [
        "ifd/rate/bps/PF-AP-NONE-1",
        "ifd/errors/PF-AP-NONE-1",
        "ifd/rate/bytes/{port}",
        "virtual-circuits/PF-BC-NONE-1/interfaces/{port}/rate/bps",
        "cloud-router-connections/PF-L3-CON-1/rate/bps",
    ],
)
def test_unknown_circuits(client: Client, path: str) -> None:
    """Unknown circuits and types of rates return 404."""
    port = client.simulator.network.ports[0].circuit_id
    assert client.request("GET", f"/v2/metrics/{path.format(port=port)}").status_code == 404
