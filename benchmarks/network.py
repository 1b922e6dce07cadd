"""The events of a network of any number of ports: every field of the four port events, numbers that rise."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from pf_exporter.schema import EVENTS, EventType

ACCOUNT = "default"
PORT_EVENTS = {name: event for name, event in EVENTS.items() if name.startswith("port|")}
SERIES_PER_PORT = 78
"""8 of traffic, 19 of errors, 23 of etherstats, 6 for each of 4 lanes, and 4 times of last events."""
# Seven digits that stand for a round, and rise with it.
_ROUND = 9_999_999
_ROUND_TEXT = str(_ROUND).encode()
_STAMP = "2000-01-01T00:00:00+00:00"


def _number(name: str, kind: str, dice: random.Random) -> float:
    if name.endswith("_dbm"):
        return round(dice.uniform(-9, 3), 2)
    if name.startswith("lane_"):
        return round(dice.uniform(0.1, 40), 3)
    if kind == "gauge":
        return float(dice.randrange(10**9))
    # Errors are rare; what is not an error, is many.
    if "error" in name or "fifo" in name or dice.random() < 0.3:
        return float(dice.choice((0, 0, 0, dice.randrange(1000))))
    return float(dice.randrange(1000)) * 1e7 + _ROUND


def _fields(event: EventType, dice: random.Random) -> Iterator[tuple[str, float]]:
    for lane in range(4 if event.has_lanes else 1):
        for name, family in event.fields.items():
            spelt = name.replace("_N_", f"_{lane}_")
            yield spelt, _number(spelt, family.type, dice)


class Network:
    """So many ports. Each round brings all four events of each port, with later times and other numbers."""

    def __init__(self, ports: int) -> None:
        self.series = ports * SERIES_PER_PORT
        self.events = ports * len(PORT_EVENTS)
        dice = random.Random(ports)  # The same network each time.
        self._templates: list[tuple[str, bytes]] = []
        for port in range(ports):
            for event in PORT_EVENTS.values():
                head = {"timestamp": _STAMP, "port_circuit_id": f"PF-AP-LAX1-{1_000_000 + port}"}
                data = json.dumps(head | dict(_fields(event, dice)))
                self._templates.append((event.name, data.encode()))

    def round(self, number: int) -> Iterator[tuple[str, bytes]]:
        """Name and data of each event of a round."""
        moment = datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=number)
        stamp, old_stamp = moment.isoformat().encode(), _STAMP.encode()
        digits = b"%07d" % (1_000_000 + number)
        for name, data in self._templates:
            yield name, data.replace(_ROUND_TEXT, digits).replace(old_stamp, stamp)
