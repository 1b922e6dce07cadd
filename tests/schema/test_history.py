"""Rows of the history as samples of the stream's families."""

from __future__ import annotations

import pytest

from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.history import (
    CONNECTION_HISTORY,
    PORT_HISTORY,
    VC_HISTORY,
    HistoryResource,
    circuit_ends,
    parse_history,
)
from pf_exporter.schema.rate_unit import RateUnit

BPS, PPS, OPTICS = PORT_HISTORY


def parsed(resource: HistoryResource, *rows: object) -> list[tuple[str, tuple[str, ...], float, float]]:
    return [
        (sample.column.family.name, sample.column.labels, sample.at, sample.value)
        for sample in parse_history(resource, list(rows))
    ]


def test_rates() -> None:
    """The averages become bytes per second and packets per second, received and transmitted."""
    assert parsed(BPS, [60, 800, 1, 2, 1600, 3, 4]) == [
        ("packetfabric_port_receive_bytes_per_second", (), 60, 100),
        ("packetfabric_port_transmit_bytes_per_second", (), 60, 200),
    ]
    assert parsed(PPS, [60, 5, 1, 2, 6, 3, 4])[1] == (
        "packetfabric_port_transmit_packets_per_second",
        (),
        60,
        6,
    )


def test_rates_in_bytes() -> None:
    """With units.rates "bytes" the rates of ports and circuits need no division; those of others do."""
    row = [60, 800, 1, 2, 1600, 3, 4]
    for resource, value in ((BPS, 800), (VC_HISTORY[0], 800), (CONNECTION_HISTORY[0], 100), (PPS, 800)):
        assert next(parse_history(resource, [row], RateUnit.BYTES)).value == value


def test_families_are_those_of_the_stream() -> None:
    """Every family is one that the stream or the inventory exports, with its labels."""
    streamed = {family.name for event in EVENTS.values() for family in event.fields.values()}
    for resource in (*PORT_HISTORY, *VC_HISTORY):
        assert {column.family.name for column in resource.columns} <= streamed
        circuit = resource.path.count("{}") + (resource in VC_HISTORY)
        assert all(
            len(column.family.labels) == 1 + circuit + len(column.labels) for column in resource.columns
        )
    assert [resource.path for resource in CONNECTION_HISTORY] == [
        "/v2/metrics/cloud-router-connections/{}/rate/bps",
        "/v2/metrics/cloud-router-connections/{}/rate/pps",
    ]


def test_optics() -> None:
    """Bias current and received power of each lane; a lane of zeros or nulls has no reading."""
    lanes = [38.5, None, -2.5, 0, 0, 0, None, None, None, 40, 0.5, 0]
    assert parsed(OPTICS, [60, 35.0, 3.3, *lanes]) == [
        ("packetfabric_port_optical_bias_current_amperes", ("0",), 60, 0.0385),
        ("packetfabric_port_optical_receive_power_dbm", ("0",), 60, -2.5),
        ("packetfabric_port_optical_bias_current_amperes", ("3",), 60, 0.04),
        ("packetfabric_port_optical_receive_power_dbm", ("3",), 60, 0),
    ]


@pytest.mark.parametrize(
    "row",
    [None, "row", [], [None, 1, 1], ["60", 1], [60], *([60, odd] for odd in (None, True, 10**400, 1e999))],
)
def test_unusable_rows(row: object) -> None:
    """Rows that are none, or without a time or a number, give no sample."""
    assert parsed(BPS, row) == []
    assert list(parse_history(BPS, row)) == []


def test_circuit_ends() -> None:
    """The ends of a virtual circuit have the VLAN in the form of the stream; odd interfaces are left out."""
    ends = circuit_ends(
        {
            "vc_circuit_id": "PF-BC-1",
            "interfaces": [
                {"port_circuit_id": "PF-AP-1", "vlan": 4},
                {"port_circuit_id": "PF-AP-2", "vlan": None},
                {"port_circuit_id": 5},
                None,
            ],
        }
    )
    assert list(ends) == [("PF-BC-1", "PF-AP-1", "4"), ("PF-BC-1", "PF-AP-2", "")]
    assert list(circuit_ends({"vc_circuit_id": "PF-BC-1"})) == []
    assert list(circuit_ends({"interfaces": []})) == []
