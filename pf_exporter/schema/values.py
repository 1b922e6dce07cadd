"""Parsers of single values in events: numbers, VLANs, log levels, labels.

Each returns the value, and 1 if a value is present but unusable, else 0.
"""

from __future__ import annotations

import math
import re
from typing import TypeGuard

from pf_exporter.schema.activity import LOG_LEVELS
from pf_exporter.schema.observation import OTHER

MAX_ID = 128
"""Longest circuit ID, in characters; the longest in any published source has 30."""

MAX_VLAN = 32
"""Longest VLAN that is a string, in characters."""

_VLAN = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_MAX_NUMBER = 64
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
# Routers print the optical power of dark fibre as "- Inf".
_NO_LIGHT = re.compile(r"-\s?inf(?:inity)?", re.IGNORECASE | re.ASCII)
_MAX_EXACT = 2**53
MAX_COUNT = 2.0**64
"""The greatest number that a counter of a router can have. One value above it would end the use of a sum of
deltas, and of every rate over it, for good."""


def is_number(text: str) -> bool:
    """Whether a string is a number in a form that events may use, or the ``-Inf`` of dark fibre."""
    text = text.strip()
    return len(text) <= _MAX_NUMBER and bool(_NUMBER.fullmatch(text) or _NO_LIGHT.fullmatch(text))


def is_id(value: object) -> TypeGuard[str]:
    """Whether a value can be a circuit ID: not empty, not too long, and printable ASCII as in the API.

    So an ID takes one byte per character in memory and on ``/metrics``, and cannot contain a control
    character, or one that only looks like another.
    """
    return isinstance(value, str) and 0 < len(value) <= MAX_ID and value.isascii() and value.isprintable()


def parse_number(raw: object, *, is_count: bool) -> tuple[float | None, int]:
    """A finite number or None; a count is from 0 to ``MAX_COUNT``."""
    if isinstance(raw, str):
        text = raw.strip()
        if not is_count and _NO_LIGHT.fullmatch(text):
            return None, 0
        if len(text) <= _MAX_NUMBER and _NUMBER.fullmatch(text):
            raw = float(text)
    if isinstance(raw, float) and math.isfinite(raw) and (not is_count or 0 <= raw <= MAX_COUNT):
        return raw, 0
    return None, int(raw is not None)


def parse_vlan(raw: object) -> tuple[str, int]:
    """A VLAN as a label: ``4``, ``4.0`` and ``"4"`` are the same; null and empty give the empty string.

    Text is unusable: a VLAN is a number, or two such as ``100.200``.
    """
    if raw is None or raw == "":
        return "", 0
    if isinstance(raw, int | float) and not isinstance(raw, bool) and raw % 1 == 0 and abs(raw) < _MAX_EXACT:
        return str(int(raw)), 0
    if isinstance(raw, str) and len(raw) <= MAX_VLAN and _VLAN.fullmatch(raw):
        return raw, 0
    return "", 1


def parse_log_level(raw: object) -> tuple[str, int]:
    """A syslog level from its name in any case or its number; ``other`` for anything else."""
    if isinstance(raw, int | float) and not isinstance(raw, bool) and raw in range(len(LOG_LEVELS)):
        raw = LOG_LEVELS[int(raw)]
    level = raw.lower() if isinstance(raw, str) else OTHER
    return (level, 0) if level in LOG_LEVELS else (OTHER, int(raw is not None))
