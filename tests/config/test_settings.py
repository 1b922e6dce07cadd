"""The table of settings and the dataclasses of its sections."""

from __future__ import annotations

import dataclasses

from pf_exporter.config.settings import (
    SECTIONS,
    SETTINGS,
    Config,
    CounterSettings,
    InventorySettings,
    RecordSettings,
    WebSettings,
)
from pf_exporter.schema.temporality import Temporality


def test_defaults() -> None:
    """A section built without arguments has the documented defaults."""
    for name, cls in SECTIONS.items():
        for row in dataclasses.fields(cls):
            (found,) = (setting for setting in SETTINGS if setting.key == f"{name}.{row.name}")
            assert getattr(cls(), row.name) == found.type.parse(found.default)


def test_text_of_a_value() -> None:
    """Every default is written as it is formatted, and the text of a value parses to the value."""
    config = Config(accounts=())
    for setting in SETTINGS:
        assert config.text(setting.key) == setting.default
    changed = Config(
        accounts=(),
        web=WebSettings(listen_address=(":1", "[::1]:2"), open_health=True),
        counters=CounterSettings(port_errors=Temporality.DELTA),
        record=RecordSettings(limit=3 * 1024**3),
        inventory=InventorySettings(description_tags=("env", "owner")),
    )
    for key, text in {
        "web.listen_address": ":1,[::1]:2",
        "web.open_health": "true",
        "counters.port_errors": "delta",
        "record.limit": "3GiB",
        "inventory.description_tags": "env,owner",
    }.items():
        (setting,) = (row for row in SETTINGS if row.key == key)
        assert changed.text(key) == text
        assert setting.type.parse(text) == changed.value(key)
