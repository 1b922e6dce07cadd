"""Maintenances have the variety that a client must handle: several notifications, POPs, exclusions, ends."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from pf_exporter.errors import ConfigError
from pf_exporter.simulator import MAINTENANCES, Simulator
from tests.simulator.client import Client
from tests.simulator.conftest import NOW, Clock, StartSimulator

ACTIONS = {"open", "update", "reminder", "close", "cancel"}


def notifications(client: Client, **query: object) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.request("GET", "/v2/maintenances/notifications", **query).json()
    return rows


def at_locations(client: Client, **query: object) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.request("GET", "/v2/maintenances/by-location", **query).json()[
        "maintenances"
    ]
    return rows


def seconds(time: str) -> float:
    """Return a time of the API relative to the start of the simulator."""
    return datetime.fromisoformat(time[:19]).replace(tzinfo=timezone.utc).timestamp() - NOW // 60 * 60


@pytest.fixture
def everything(start_simulator: StartSimulator) -> Client:
    return Client(start_simulator(maintenances=tuple(MAINTENANCES)))


def test_the_default(client: Client) -> None:
    """By default one maintenance is running and one is announced, each of one port with its circuits."""
    running, announced = notifications(client)
    assert seconds(running["time_start"]) < 0 < seconds(running["time_end"])
    assert 0 < seconds(announced["time_start"]) < 86400
    for row in (running, announced):
        (port,) = row["port_circuit_ids"]
        circuits = [
            circuit.circuit_id
            for circuit in client.simulator.network.circuits
            if port in (circuit.a.port.circuit_id, circuit.z.port.circuit_id)
        ]
        assert row["vc_circuit_ids"] == circuits
        assert (row["pops"], row["exclude"], row["system_wide"]) == ([], [], False)


def test_type_and_action_are_swapped(everything: Client) -> None:
    """In rows, ``type`` is the action and ``action`` the type; in the query it is the reverse."""
    rows = notifications(everything)
    assert {row["type"] for row in rows} == ACTIONS
    assert not {row["action"] for row in rows} & ACTIONS
    assert {row["type"] for row in notifications(everything, action="cancel")} == {"cancel"}
    assert {row["action"] for row in notifications(everything, type="upgrade")} == {"upgrade"}
    assert len(notifications(everything, uuid=rows[0]["uuid"])) == 1


def test_the_newest_notification_counts(everything: Client) -> None:
    """Extended, cancelled and closed maintenances have two notifications, in any order, with one UUID."""
    rows = notifications(everything)
    by_uuid: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_uuid.setdefault(row["uuid"], []).append(row)
    pairs = [pair for pair in by_uuid.values() if len(pair) == 2]
    newest = [max(pair, key=lambda row: str(row["time_updated"])) for pair in pairs]
    assert sorted(row["type"] for row in newest) == ["cancel", "close", "update"]
    assert {pair.index(row) for pair, row in zip(pairs, newest, strict=True)} == {0, 1}
    extended = next(pair for pair in pairs if pair[0]["type"] == "update")
    assert seconds(extended[1]["time_end"]) < 0 < seconds(extended[0]["time_end"])


def test_what_is_affected(everything: Client) -> None:
    """Some list POPs beside circuits, some POPs only, one excludes a port, one is of the whole network."""
    rows = notifications(everything)
    assert any(row["pops"] and row["port_circuit_ids"] for row in rows)
    (excluding,) = [row for row in rows if row["exclude"]]
    assert excluding["pops"]
    assert not excluding["port_circuit_ids"]
    assert [row["uuid"] for row in rows if row["system_wide"]]
    assert [row["cr_connection_circuit_ids"] for row in rows if row["cr_connection_circuit_ids"]] == [
        ["PF-L3-CON-4000001"]
    ]


def test_by_location(everything: Client, clock: Clock) -> None:
    """The list by location omits what ended, closed or was cancelled, and selects by POP and market."""
    rows = at_locations(everything)
    assert len(rows) == len(MAINTENANCES) - 2
    assert {row["maintenance_action"] for row in rows} == {"open", "update", "reminder"}
    at_pop = at_locations(everything, pop_names_list="WDC1")
    assert at_pop == at_locations(everything, market_codes_list="WDC")
    assert any(row["port_circuit_ids"] for row in at_pop)
    assert any(row["system_wide"] for row in at_pop)
    assert all(row["device_names"] == ["cfr1.wdc1"] for row in at_pop if row["port_circuit_ids"])
    clock.now += 86400
    assert [row["maintenance_type"] for row in at_locations(everything)] == []


def test_time_filter(everything: Client) -> None:
    """Notifications are selected by the time range that they overlap."""
    assert notifications(everything, start="2026-09-23T00:00:00Z") == []
    past = notifications(everything, end="2026-09-21T12:00:00Z")
    assert [row["type"] for row in past] == ["update", "open"]


def test_changes_while_running(simulator: Simulator) -> None:
    """Maintenances can be added for a port and removed while the simulator runs; unknown ones are errors."""
    client = Client(simulator)
    port = simulator.network.ports[1].circuit_id
    spec = f"soon:{port}"
    simulator.maintenances.add(spec)
    assert [port] in [row["port_circuit_ids"] for row in notifications(client)]
    simulator.maintenances.discard(spec)
    simulator.maintenances.discard("running")
    assert [row["type"] for row in notifications(client)] == ["reminder"]
    for wrong, message in (("lunch", "unknown; use one of"), ("running:PF-AP-NONE-1", "no such port")):
        with pytest.raises(ConfigError, match=message):
            simulator.maintenances.add(wrong)


def test_an_empty_network_has_no_maintenance(start_simulator: StartSimulator) -> None:
    """Without ports there is nothing to maintain."""
    assert notifications(Client(start_simulator(ports=0, vcs=0))) == []
