"""Events to decode in tests: the API's examples, and events built from the table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pf_exporter.schema.decoder import decode
from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.observation import Observation

EXAMPLES = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "fixtures" / "stream-events.jsonl")
    .read_text("utf-8")
    .splitlines()
]
"""The API's published examples: ``event`` and ``data`` of each."""
SAMPLED_AT = 1632342870.0  # 2021-09-22T20:34:30+00:00
DOCUMENTED_LANES = ("0", "1", "2", "3")


def keys(name: str, lanes: tuple[str, ...] = DOCUMENTED_LANES) -> list[str]:
    """The keys of an event's numbers in its data, in the order of ``Observation.values``."""
    fields = EVENTS[name].fields
    if not EVENTS[name].has_lanes:
        return list(fields)
    return [field.replace("_N_", f"_{lane}_") for lane in lanes for field in fields]


def full(name: str, lanes: tuple[str, ...]) -> dict[str, Any]:
    """An event with every documented field and with a different value in each."""
    document: dict[str, Any] = {"timestamp": "2021-09-22T20:34:30+00:00"}
    for circuit in EVENTS[name].circuit:
        document[circuit] = {"vc_circuit_id": "PF-BC-LAX-NYC-1-PF", "vlan": 4}.get(circuit, "PF-AP-LAX1-1")
    for index, key in enumerate(keys(name, lanes)):
        document[key] = index + 1
    if EVENTS[name].has_lanes:
        document |= {f"lane_{lane}_index": 0.0 for lane in lanes}
    return document


def sample(name: str, **changes: Any) -> dict[str, Any]:
    """A full event with some fields changed; ``...`` removes a field."""
    document = full(name, DOCUMENTED_LANES) | changes
    return {key: value for key, value in document.items() if value is not ...}


def observe(name: str, data: object) -> Observation:
    """Decode the data of an event, given as text or as an object."""
    observation = decode(name, data if isinstance(data, str) else json.dumps(data))
    assert isinstance(observation, Observation)
    return observation


def numbers(observation: Observation) -> dict[str, float | None]:
    """The observation's numbers by their keys in the data."""
    named = keys(observation.event.name, observation.lanes)
    return dict(zip(named, observation.values, strict=True))


def with_literal(name: str, key: str, literal: str) -> str:
    """The text of an event in which ``key`` has a value that :func:`json.dumps` would not write."""
    return json.dumps(sample(name, **{key: "@"})).replace('"@"', literal)
