"""The activity log: the entries that streams send as ``customer|…``, for a time range."""

from __future__ import annotations

from collections.abc import Mapping

from pf_exporter.simulator.errors import BadRequest
from pf_exporter.simulator.pagination import Row, page
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources.resource import Query, Resource, resource_uuid
from pf_exporter.simulator.time_range import TimeRange, log_range, parse_time
from pf_exporter.simulator.traffic import DAY

_RETENTION = 7 * DAY

_LEVELS = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
# The filter lacks categories that entries can have, such as bgp and rate_limit.
_CATEGORIES = (
    "auth",
    "billing",
    "contact",
    "customer",
    "document",
    "lag_interface",
    "physical_interface",
    "logical_interface",
    "user",
    "virtual_circuit",
    "cloud_connection",
    "point_to_point",
    "high_performance_internet",
)


def _entries(query: Query) -> object:
    """Return ``ActivityLog`` of each entry in the range; by default newest first, and of the last week."""
    parameters = query.parameters
    if parameters.get("category", "auth") not in _CATEGORIES:
        raise BadRequest("category: value is not a valid enumeration member")
    oldest = query.now - _RETENTION
    start, end = log_range(parameters, TimeRange(oldest, query.now))
    start, end = max(start, oldest), min(end, query.now)
    # A microsecond more on both sides, to which timestamps are rounded.
    generated = query.network.activity(end + 1e-6, start - 1e-6)
    entries = [(f"own log entry {index}", data) for index, (_, data) in enumerate(query.log)]
    entries += [(f"log entry {data['timestamp']} {data['message']}", data) for _, data in generated]
    rows = [
        (parse_time("timestamp", str(data["timestamp"])), _row(resource_uuid(query.network.seed, key), data))
        for key, data in entries
    ]
    chosen = [item for item in rows if start <= item[0] <= end and _matches(item[1], parameters)]
    column = parameters.get("sort_column", "time_created")
    # Entries at the same time have an order that does not depend on the range.
    chosen.sort(
        key=lambda item: (
            item[0] if column == "time_created" else str(item[1].get(column, "")),
            str(item[1]["log_uuid"]),
        ),
        reverse=parameters.get("sort_order", "desc") == "desc",
    )
    return page([row for _, row in chosen], parameters)


def _row(log_uuid: str, data: Row) -> Row:
    """Return ``ActivityLog`` of the data of an event."""
    row: Row = {"log_uuid": log_uuid}
    if "user" in data:
        row["user"] = data["user"]
    return row | {
        "level": _LEVELS.index(str(data["log_level"])),
        "category": data["category"],
        "event": data["event"],
        "message": data["message"],
        "time_created": data["timestamp"],
    }


def _matches(row: Row, parameters: Mapping[str, str]) -> bool:
    """Return whether an entry has the requested level, category and event, and names the circuit."""
    return all(
        str(row[name]) == parameters[name] for name in ("level", "category", "event") if name in parameters
    ) and parameters.get("circuit_id", "") in str(row["message"])


ACTIVITY_LOGS = Resource(ResourceName.ACTIVITY_LOGS, "/v2/activity-logs", _entries)
