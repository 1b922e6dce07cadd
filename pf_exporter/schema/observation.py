"""The values that the decoder makes of events: observations and entries of the activity log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from pf_exporter.schema.event_type import EventType

Numbers = tuple["float | None", ...]

OTHER = "other"
"""The label value for anything that the API does not document."""


class Observation(msgspec.Struct, frozen=True, gc=False):
    """The measurements of one event, in the API's units."""

    event: EventType
    circuit: tuple[str, ...]
    """The values of ``event.circuit`` as received; a missing VLAN is the empty string."""
    lanes: tuple[str, ...]
    """The numbers of the optical lanes in ascending order; empty for events without lanes."""
    values: Numbers
    """One number per field of the event, lane after lane; None where the event has none."""
    timestamp: float | None
    """UNIX seconds of the sample; None if it is missing or unusable."""
    fields_rejected: int = 0
    """How many fields have an unusable value."""
    unknown: tuple[str, ...] = ()
    """The names of fields that are not in the table."""


class ActivityLogEntry(NamedTuple):
    """One entry of the account's activity log."""

    category: str
    """One of ``CATEGORIES``, or ``other``."""
    log_level: str
    """One of ``LOG_LEVELS``, or ``other``."""
    timestamp: float | None
    """UNIX seconds; None if it is missing or unusable."""
    details: Mapping[str, str]
    """Every field that is a string, such as user, event, message and ip_address; personal data."""
    fields_rejected: int = 0
    """How many fields have an unusable value."""
    unknown: tuple[str, ...] = ()
    """The names of undocumented fields."""
