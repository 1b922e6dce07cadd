"""Time zones by name."""

from __future__ import annotations

from datetime import timezone, tzinfo


def time_zone(name: str) -> tzinfo:
    """The zone with a name, such as ``America/Los_Angeles``; raises ValueError if this system has none.

    UTC needs no data of the system.
    """
    if name == "UTC":
        return timezone.utc
    from zoneinfo import ZoneInfo  # rarely needed

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError("expected a time zone of this system, such as UTC or America/Los_Angeles") from None
