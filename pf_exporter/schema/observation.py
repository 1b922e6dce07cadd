"""What one event says once it is decoded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pf_exporter.schema.family import EventType

Numbers = tuple["float | None", ...]

OTHER = "other"
"""The label value for what the API's documentation does not list."""


class Observation(NamedTuple):
    """The numbers one event carries, as the API gives them (unscaled)."""

    event: EventType
    circuit: tuple[str, ...]
    """Values of ``event.circuit``, as received; a missing VLAN is the empty string."""
    lanes: tuple[str, ...]
    """Optical lanes in the order of their numbers; empty for events without lanes."""
    values: Numbers
    """One number for each field of the event, lane after lane; None where the event gives none."""
    timestamp: float | None
    """UNIX seconds of the sample, or None where the event does not say or says it unreadably."""
    fields_rejected: int = 0
    """Fields whose value cannot be used."""
    unknown: tuple[str, ...] = ()
    """The fields that the table does not know."""


class ActivityLogEntry(NamedTuple):
    """One entry of the account's activity log."""

    category: str
    """One of ``CATEGORIES``, or ``other``."""
    log_level: str
    """One of ``LOG_LEVELS``, or ``other``."""
    timestamp: float | None
    details: Mapping[str, str]
    """The texts of the entry: user, event, message, ip_address and what else came; personal data."""
    fields_rejected: int = 0
    unknown: tuple[str, ...] = ()
    """The fields that the documentation does not know."""
