"""The temporality of counters in events, as OpenTelemetry calls it."""

from __future__ import annotations

import enum


class Temporality(str, enum.Enum):
    """What the count in an event is; each member equals its name in the settings."""

    CUMULATIVE = "cumulative"
    """The total since the counter started."""
    DELTA = "delta"
    """The increase since the previous event."""

    def __str__(self) -> str:
        return self.value
