"""The activity log of the REST API, ``/v2/activity-logs``: the same entries as the events ``customer|…``."""

from __future__ import annotations

from typing import NamedTuple

from pf_exporter.schema.activity import CATEGORIES
from pf_exporter.schema.observation import OTHER, ActivityLogEntry
from pf_exporter.schema.timestamps import parse_timestamp
from pf_exporter.schema.values import is_id, parse_log_level

ACTIVITY_LOG_PATH = "/v2/activity-logs"
ACTIVITY_LOG_KEY = "log_uuid"
"""The field that identifies a row; events do not have it."""
ACTIVITY_LOG_TIME = "time_created"


class LoggedEntry(NamedTuple):
    """A row of the activity log."""

    uuid: str
    at: float
    """UNIX seconds."""
    entry: ActivityLogEntry


def parse_log_row(row: object) -> LoggedEntry | None:
    """Return a row as an event would describe it; None without an ID or a time."""
    if not isinstance(row, dict) or not is_id(uuid := row.get(ACTIVITY_LOG_KEY)):
        return None
    timestamp, _ = parse_timestamp(row.get(ACTIVITY_LOG_TIME))
    if timestamp is None:
        return None
    level, _ = parse_log_level(row.get("level"))
    category = row.get("category")
    details = {name: value for name, value in row.items() if isinstance(value, str)}
    if not isinstance(category, str) or category not in CATEGORIES:
        category = OTHER
    return LoggedEntry(uuid, timestamp, ActivityLogEntry(category, level, timestamp, details))
