"""Generated events of any number of ports: every field of the four port events, with increasing values."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from pf_exporter.schema import EVENTS, EventType

ACCOUNT = "default"
PORT_EVENTS = {name: event for name, event in EVENTS.items() if name.startswith("port|")}
SERIES_PER_PORT = 78
"""8 of metrics, 19 of errors, 23 of etherstats, 6 for each of 4 lanes, and 4 timestamps of last events."""

# Placeholders in the templates, replaced by values of the sample.
_VALUE = 9_999_999
_TIMESTAMP = "2000-01-01T00:00:00+00:00"


def _value(name: str, kind: str, rng: random.Random) -> float:
    if name.endswith("_dbm"):
        return round(rng.uniform(-9, 3), 2)
    if name.startswith("lane_"):
        return round(rng.uniform(0.1, 40), 3)
    if kind == "gauge":
        return float(rng.randrange(10**9))
    # Errors are rare; other counters are large.
    if "error" in name or "fifo" in name or rng.random() < 0.3:
        return float(rng.choice((0, 0, 0, rng.randrange(1000))))
    return float(rng.randrange(1000)) * 1e7 + _VALUE


def _fields(event: EventType, rng: random.Random) -> Iterator[tuple[str, float]]:
    for lane in range(4 if event.has_lanes else 1):
        for name, family in event.fields.items():
            field = name.replace("_N_", f"_{lane}_")
            yield field, _value(field, family.type, rng)


class EventGenerator:
    """The four events of each of ``ports`` ports; each sample has later timestamps and other values."""

    def __init__(self, ports: int) -> None:
        self.series = ports * SERIES_PER_PORT
        rng = random.Random(ports)
        self._templates: list[tuple[str, bytes]] = []
        for port in range(ports):
            head = {"timestamp": _TIMESTAMP, "port_circuit_id": f"PF-AP-LAX1-{1_000_000 + port}"}
            for event in PORT_EVENTS.values():
                data = json.dumps(head | dict(_fields(event, rng)))
                self._templates.append((event.name, data.encode()))

    def sample(self, number: int) -> Iterator[tuple[str, bytes]]:
        """Yield name and data of each event of a sample."""
        moment = datetime(2026, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=number)
        timestamp, value = moment.isoformat().encode(), b"%07d" % (1_000_000 + number)
        old_timestamp, old_value = _TIMESTAMP.encode(), str(_VALUE).encode()
        for name, data in self._templates:
            yield name, data.replace(old_value, value).replace(old_timestamp, timestamp)
