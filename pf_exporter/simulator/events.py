"""An event as it is streamed: its name, its data, and its encoding."""

from __future__ import annotations

import json
from datetime import datetime, timezone

Event = tuple[str, dict[str, object]]
"""The name, such as ``port|metrics``, and the JSON object with the data."""


def encode_event(event: Event) -> bytes:
    """Return the event as a server-sent event, with the blank line that ends it."""
    name, data = event
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


def format_timestamp(at: float) -> str:
    """Format UNIX seconds as ISO 8601 in UTC; with milliseconds only if they are not zero.

    >>> format_timestamp(1632342870), format_timestamp(1632342870.05)
    ('2021-09-22T20:34:30+00:00', '2021-09-22T20:34:30.050+00:00')
    """
    moment = datetime.fromtimestamp(round(at, 3), timezone.utc)
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
