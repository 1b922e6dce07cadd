"""Reads the activity log of the REST API, page by page."""

from __future__ import annotations

from datetime import datetime, timezone

from pf_exporter.packetfabric import Client, Session
from pf_exporter.schema import (
    ACTIVITY_LOG_KEY,
    ACTIVITY_LOG_PATH,
    ACTIVITY_LOG_TIME,
    LoggedEntry,
    parse_log_row,
)


def _timestamp(seconds: float) -> str:
    text = datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def read_activity_log(client: Client, session: Session, start: float, end: float) -> list[LoggedEntry]:
    """Return the rows of this time, in UNIX seconds, in the order of their times and each once.

    They are not filtered by category: the API's filter lacks some. Raises
    :class:`~pf_exporter.errors.ApiError` or :class:`~pf_exporter.errors.ListIncomplete`.
    """
    query = {
        "time_from": _timestamp(start),
        "time_to": _timestamp(end),
        "sort_column": ACTIVITY_LOG_TIME,
        "sort_order": "asc",
    }
    found: dict[str, LoggedEntry] = {}
    for page in client.pages(session, ACTIVITY_LOG_PATH, key=ACTIVITY_LOG_KEY, query=query):
        for item in page:
            row = parse_log_row(item)
            # A server may ignore the filter.
            if row is not None and start <= row.at <= end:
                found[row.uuid] = row
    return sorted(found.values(), key=lambda row: row.at)
