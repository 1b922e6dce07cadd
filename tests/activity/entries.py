"""Entries of the activity log as events and as rows of the REST log."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import NamedTuple

from pf_exporter.schema.activity_log import LoggedEntry, parse_log_row
from pf_exporter.schema.lenient_decoder import decode_activity
from pf_exporter.schema.observation import ActivityLogEntry
from tests.fakes import event

T = 1_790_000_000.0


class Truth(NamedTuple):
    """What happened; two entries can agree in everything but their ID."""

    uuid: str
    at: float
    message: str = "User Hank Aaron logged in."
    user: str = "hank"
    category: str = "auth"
    has_user: bool = True
    """Whether the event names the user; the row of the log always does."""

    def data(self) -> dict[str, str]:
        """Return the data of the event."""
        user = {"user": self.user} if self.has_user else {}
        data = {"log_level": "info", "event": "login", "message": self.message, "timestamp": iso(self.at)}
        return {**data, **user}

    def frame(self) -> bytes:
        """Return the event in the form of the stream."""
        return event(f"customer|{self.category}", self.data())

    def event(self) -> ActivityLogEntry:
        """Return the event, decoded."""
        return decode_activity(self.category, json.dumps(self.data()))

    def row(self) -> dict[str, object]:
        """Return the row as JSON."""
        return {
            "log_uuid": self.uuid,
            "user": self.user,
            "level": 6,
            "category": self.category,
            "event": "login",
            "message": self.message,
            "time_created": iso(self.at),
        }

    def logged(self) -> LoggedEntry:
        """Return the row, parsed."""
        row = parse_log_row(self.row())
        assert row is not None
        return row


def iso(at: float) -> str:
    """Return a time as the API writes it, in µs and without a zone."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
