"""Parse one value of an event: numbers, VLANs, log levels, labels."""

from __future__ import annotations

import math
import re

from pf_exporter.schema.events import LOG_LEVELS
from pf_exporter.schema.observation import OTHER

MAX_ID = 256
"""Characters; the longest circuit id in any source has 30."""

MAX_VLAN = 32
"""Characters of a VLAN that is a text."""


def is_label(text: object, limit: int) -> bool:
    """Whether a value is text that may become a label: not empty, not too long, encodable."""
    if not isinstance(text, str) or not 0 < len(text) <= limit:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: it would break every scrape
        return False
    return True


# Readers of one field: what it says, and 1 where something is there that cannot be used.

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_NO_LIGHT = re.compile(r"-\s?inf(?:inity)?", re.IGNORECASE | re.ASCII)


def parse_number(raw: object, *, is_count: bool) -> tuple[float | None, int]:
    """A finite number or None, and 1 if the value is present but cannot be used."""
    if isinstance(raw, str):
        text = raw.strip()
        if not is_count and _NO_LIGHT.fullmatch(text):  # how routers print the power of dark fibre
            return None, 0
        if len(text) <= 64 and _NUMBER.fullmatch(text):
            raw = float(text)
    if isinstance(raw, float) and math.isfinite(raw) and (raw >= 0 or not is_count):
        return raw, 0
    return None, int(raw is not None)


def parse_vlan(raw: object) -> tuple[str, int]:
    """``4``, ``4.0`` and ``"4"`` are one VLAN; none at all is the empty text."""
    if raw is None or raw == "":
        return "", 0
    if isinstance(raw, int | float) and not isinstance(raw, bool) and raw % 1 == 0 and abs(raw) < 2**53:
        return str(int(raw)), 0
    if isinstance(raw, str) and is_label(raw, MAX_VLAN):
        return raw, 0
    return "", 1


def parse_log_level(raw: object) -> tuple[str, int]:
    """A syslog level or ``other``, and 1 if the value is present but is no level."""
    if isinstance(raw, float) and raw in range(len(LOG_LEVELS)):  # as the REST activity log has them
        raw = LOG_LEVELS[int(raw)]
    level = raw.lower() if isinstance(raw, str) else OTHER
    return (level, 0) if level in LOG_LEVELS else (OTHER, int(raw is not None))
