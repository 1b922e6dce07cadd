"""The conversion of ``bps`` fields that count bytes per second."""

from __future__ import annotations

import msgspec

from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.observation import Observation

_BPS_COLUMNS = {
    name: tuple(column for column, field in enumerate(event.fields) if field.endswith("_bps"))
    for name, event in EVENTS.items()
}
"""The positions of the ``bps`` fields among an event's values."""


def bytes_to_bits(observation: Observation) -> Observation:
    """Return an observation whose ``bps`` fields are bytes per second with them in bits per second."""
    columns = _BPS_COLUMNS[observation.event.name]
    if not columns:
        return observation
    values = list(observation.values)
    for column in columns:
        value = values[column]
        values[column] = None if value is None else 8 * value
    return msgspec.structs.replace(observation, values=tuple(values))
