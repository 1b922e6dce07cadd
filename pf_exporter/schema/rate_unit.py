"""The unit of the API's ``bps`` fields: bits per second, as its name suggests, or bytes per second."""

from __future__ import annotations

import enum


class RateUnit(str, enum.Enum):
    """What a ``bps`` field counts per second; each member equals its name in the settings."""

    BITS = "bits"
    BYTES = "bytes"

    def __str__(self) -> str:
        return self.value
