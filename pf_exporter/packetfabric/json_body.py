"""Bodies of responses as JSON, with a limit on the memory that they take."""

from __future__ import annotations

import json
from typing import Any

from pf_exporter.errors import Rejected

MAX_VALUES = 1_000_000
"""Commas and opening brackets in one body; 5,000 ports have about 350,000. A value of two bytes takes up to a
hundred times as much memory."""


def decode(body: bytes, subject: str) -> Any:
    """Return the JSON value of a body; raises :class:`Rejected`, whose message begins with ``subject``."""
    if sum(map(body.count, (b",", b"{", b"["))) > MAX_VALUES:
        raise Rejected(f"{subject}: the response has more than {MAX_VALUES} values")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Rejected(f"{subject}: the response is not JSON") from None
