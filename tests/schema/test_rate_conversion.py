"""Rates in bytes per second are converted to the unit that the table of events expects."""

from __future__ import annotations

import pytest

from pf_exporter.schema.events import EVENTS
from pf_exporter.schema.observation import Observation
from pf_exporter.schema.rate_conversion import bytes_to_bits


@pytest.mark.parametrize("name", EVENTS)
def test_only_bps_fields_change(name: str) -> None:
    """The ``bps`` fields are multiplied by 8; other fields, and absent ones, stay."""
    event = EVENTS[name]
    values = tuple(float(column) for column in range(len(event.fields)))
    converted = bytes_to_bits(Observation(event, ("p",), (), values, 1.0))
    for field, before, after in zip(event.fields, values, converted.values, strict=True):
        assert after == before * (8 if field.endswith("_bps") else 1)
    absent = Observation(event, ("p",), (), (None,) * len(values), 1.0)
    assert bytes_to_bits(absent) == absent
