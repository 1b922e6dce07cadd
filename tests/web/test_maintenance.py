"""Maintenances on the status page: what is shown of them, and in which order."""

from __future__ import annotations

import time

import pytest

from pf_exporter.inventory.snapshot import Snapshot
from pf_exporter.schema.labels import canonical_id
from pf_exporter.schema.maintenance import Maintenance
from pf_exporter.schema.polled_resource import PolledResource
from pf_exporter.schema.resources.ports import PORTS
from pf_exporter.state.history import ErrorLog
from pf_exporter.web.maintenance import MAX_CIRCUITS, maintenance_entries
from pf_exporter.web.page_values import Severity

NOW = 1_793_527_200.0
"""2026-11-01 10:00 UTC."""
HOUR = 3600.0


class PolledInventory:
    """What the page reads of an inventory."""

    def __init__(self, *maintenances: Maintenance, ports: int = 0) -> None:
        self.errors = ErrorLog()
        self.retry_at = None
        self.resources: tuple[PolledResource, ...] = ()
        rows = ({"port_circuit_id": f"PF-AP-{number}", "pop": "LAX1"} for number in range(ports))
        circuits = [PORTS.parse(row, ())[0] for row in rows]
        found = {canonical_id(circuit.id): circuit for circuit in circuits if circuit is not None}
        self.snapshot = Snapshot().updated({PORTS.name: found}, 10**6, NOW)
        self._maintenances = maintenances

    def failing(self) -> list[str]:
        return []

    def maintenances(self) -> list[Maintenance]:
        return list(self._maintenances)


def maintenance(uuid: str, start: float | None, end: float | None, **fields: object) -> Maintenance:
    """A maintenance whose times are in hours from now."""
    at = [None if hours is None else NOW + hours * HOUR for hours in (start, end)]
    named = {"type": "upgrade", "ticket": uuid, "action": "open", "updated": 0.0, **fields}
    return Maintenance(uuid, start=at[0], end=at[1], **named)  # type: ignore[arg-type]


def test_those_in_progress_come_first() -> None:
    """A maintenance in progress is a warning, one to come is not, and one that is over is not shown."""
    inventory = PolledInventory(
        maintenance("later", 30, 34),
        maintenance("now", -1, 3),
        maintenance("past", -9, -5),
        maintenance("open end", -2, None),
    )
    entries = maintenance_entries({"one": inventory}, NOW)
    assert [(entry.title, entry.state, entry.severity) for entry in entries] == [
        ("Upgrade open end", "In progress", Severity.WARNING),
        ("Upgrade now", "In progress", Severity.WARNING),
        ("Upgrade later", "In 30 h", Severity.NEUTRAL),
    ]
    assert entries[1].account == ""
    assert entries[1].affected == "no circuit of this account"
    assert entries[1].start is not None
    assert entries[1].start.text == "2026-11-01 09:00:00 UTC"


def test_affected_circuits() -> None:
    """Circuits are counted by kind, and some are named; with several accounts each entry has its account."""
    inventories = {
        "one": PolledInventory(maintenance("a", 1, 2, pops=("LAX1",)), ports=5000),
        "two": PolledInventory(maintenance("b", 2, 3, ports=("PF-AP-1",), vcs=("x", "y"), type="")),
    }
    first, second = maintenance_entries(inventories, NOW)
    assert (first.account, first.affected, len(first.circuits)) == ("one", "5,000 ports", MAX_CIRCUITS)
    assert (second.title, second.affected) == ("Maintenance b", "1 port, 2 virtual circuits")
    assert second.circuits == ["PF-AP-1", "x", "y"]


@pytest.mark.parametrize(
    ("zone", "local"),
    [
        ("UTC", ""),
        ("Asia/Kathmandu", "2026-11-01 15:45 to 19:45 +0545"),
        ("Asia/Tokyo", "2026-11-01 19:00 to 23:00 JST"),
    ],
)
def test_local_time(zone: str, local: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times are also shown in the local time of this machine, unless that is UTC."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        (entry,) = maintenance_entries({"one": PolledInventory(maintenance("a", 0, 4))}, NOW)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert entry.local == local
