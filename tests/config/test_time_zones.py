"""Time zones by name."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from pf_exporter.config.time_zones import time_zone


def test_utc_needs_no_data() -> None:
    """UTC works on a system without time zones."""
    assert time_zone("UTC") is timezone.utc


def test_a_zone_with_summer_time() -> None:
    """A zone of the system has its offset at a given time."""
    zone = time_zone("America/New_York")
    offsets = [datetime(2026, month, 1, tzinfo=zone).utcoffset() for month in (1, 7)]
    assert offsets == [timedelta(hours=-5), timedelta(hours=-4)]


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "America", "a\0b"])
def test_unknown_zones(name: str) -> None:
    """Anything else is refused with what is expected."""
    with pytest.raises(ValueError, match="expected a time zone of this system"):
        time_zone(name)
