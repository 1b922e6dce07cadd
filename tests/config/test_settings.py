"""The table of settings and the dataclasses of its sections."""

from __future__ import annotations

import dataclasses

from pf_exporter.config.settings import SECTIONS, SETTINGS, Config


def test_defaults() -> None:
    """A section built without arguments has the documented defaults."""
    for name, cls in SECTIONS.items():
        for row in dataclasses.fields(cls):
            (found,) = (setting for setting in SETTINGS if setting.key == f"{name}.{row.name}")
            assert getattr(cls(), row.name) == found.type.parse(found.default)


def test_value_by_key() -> None:
    """Every setting can be read by its dotted key."""
    config = Config(accounts=())
    for setting in SETTINGS:
        assert config.value(setting.key) == setting.type.parse(setting.default)
