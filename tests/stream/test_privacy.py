"""Personal text in events reaches neither labels nor values nor the log."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from pf_exporter.metrics.exporter_collector import ExporterCollector
from pf_exporter.metrics.exposition import Exposition, Format
from pf_exporter.schema.activity_fields import ACTIVITY_FIELDS
from pf_exporter.schema.events import EVENTS
from tests.schema.samples import full
from tests.stream.test_processor import Harness, event

NAME = "Erika Mustermann"
IDS = ("port_circuit_id", "vc_circuit_id")
"""These fields become labels whatever they contain, as long as it is printable ASCII."""

PLANTED: tuple[object, ...] = (NAME, [NAME], {"name": NAME}, {NAME: 1}, {"a": [{"b": NAME}]})


def planted_events() -> Iterator[tuple[str, str]]:
    """Yield the name and data of events with the name in one field each, in all, and at the top level."""
    for name, event_type in EVENTS.items():
        document = full(name, ("0", "1"))
        fields = [field for field in document if field not in IDS]
        ignored = [field.replace("_N_", "_0_") for field in event_type.ignored]
        for value in PLANTED:
            for field in dict.fromkeys((*fields, *ignored, "undocumented", "lane_7_rx_dbm")):
                yield name, json.dumps({**document, field: value})
            yield name, json.dumps({**document, **dict.fromkeys(fields, value)})
            for field in IDS:
                if field in document:
                    yield name, json.dumps({**document, field: value if value != NAME else f"{NAME}\0"})
    for value in PLANTED:
        for field in ACTIVITY_FIELDS:
            if field != "event" or value != NAME:  # The kind of action is logged, and is not personal.
                yield "customer|auth", json.dumps({"log_level": "info", "event": "login", field: value})
        for name in (*EVENTS, "customer|auth", "port|weather", "customer|new"):
            yield name, json.dumps(value)
            yield name, json.dumps(value)[:-1]
    for name in (*EVENTS, "customer|auth"):
        yield name, NAME
        yield name, f"{{{NAME}: 1}}"


def texts_of(record: logging.LogRecord) -> str:
    fields: dict[str, Any] = getattr(record, "fields", {})
    return f"{record.getMessage()} {fields} {record.exc_info}"


def test_personal_text_stays_inside(caplog: pytest.LogCaptureFixture) -> None:
    """A name planted in every documented field, numeric ones too, and as the data itself, is shown nowhere.

    The status page lists the names of unknown fields, but not their values.
    """
    caplog.set_level(logging.DEBUG)
    harness = Harness(limit=100_000)
    registry = CollectorRegistry()
    registry.register(ExporterCollector([harness.stats]))
    page = Exposition(harness.store, registry)
    unknown = Harness(limit=100_000)
    count = 0
    for name, data in planted_events():
        assert NAME in data
        harness.processor.process(event(name, data))
        assert not any("Erika" in texts_of(record) for record in caplog.records), (name, data)
        caplog.clear()
        if f'"{NAME}": 1' not in data:  # names of fields are shown
            unknown.processor.process(event(name, data))
        count += 1
    shown = page.plain(Format.TEXT).decode()
    assert "Erika" not in shown
    assert "Mustermann" not in shown
    assert not any("Erika" in str(field) for field in unknown.stats.unknown_fields.snapshot())
    assert count > 500
    assert sum(harness.stats.fields_rejected.values()) > 300
    assert sum(harness.stats.rejected.values()) > 50
