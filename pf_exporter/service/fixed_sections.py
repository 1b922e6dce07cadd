"""The sections of the configuration that a reload does not change."""

from __future__ import annotations

import dataclasses

from pf_exporter.config import Config
from pf_exporter.log import Logger

RESTART_ONLY = ("counters", "web", "record", "remote_write", "log")
"""Sections that only a restart changes."""

log = Logger(__name__)


def with_fixed_sections(config: Config, present: Config) -> Config:
    """Return the configuration with the present values of the sections that need a restart."""
    values = {section: getattr(present, section) for section in RESTART_ONLY}
    changed = [section for section, value in values.items() if getattr(config, section) != value]
    if config.endpoints != present.endpoints and "remote_write" not in changed:
        changed.append("remote_write")
    if changed:
        log.warning("sections not reloaded: restart for them", sections=" ".join(changed))
    return dataclasses.replace(config, endpoints=present.endpoints, **values)
