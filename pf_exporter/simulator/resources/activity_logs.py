"""The activity log: the entries that streams send as ``customer|…``, for a time range."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pf_exporter.simulator.errors import BadRequest
from pf_exporter.simulator.pagination import Row, page
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources.resource import Query, Resource, format_microseconds, resource_uuid
from pf_exporter.simulator.time_range import TimeRange, log_range
from pf_exporter.simulator.traffic import DAY

_RETENTION = 7 * DAY

_TIME_LENGTH = len("2020-06-11T19:08:10.150711")

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


class _Entry(NamedTuple):
    """An entry, sorted by its time; entries at the same time have an order that no range changes."""

    time: str
    """In UTC, without a zone."""
    key: str
    """Identifies the entry."""
    data: Row


def _entries(query: Query) -> object:
    """Return ``ActivityLog`` of each entry in the range; by default newest first, and of the last week."""
    parameters = query.parameters
    if parameters.get("category", "auth") not in _CATEGORIES:
        raise BadRequest("category: value is not a valid enumeration member")
    if parameters.get("sort_column", "time_created") != "time_created":
        raise BadRequest("sort_column: value is not a valid enumeration member")
    oldest = query.now - _RETENTION
    start, end = log_range(parameters, TimeRange(oldest, query.now))
    start, end = max(start, oldest), min(end, query.now)
    first, last = format_microseconds(start), format_microseconds(end)
    entries = sorted(
        (
            entry
            for entry in _all_entries(query, start, end)
            if first <= entry.time <= last and _matches(entry.data, parameters)
        ),
        reverse=parameters.get("sort_order", "desc") == "desc",
    )
    return [_row(query.network.seed, entry) for entry in page(entries, parameters)]


def _all_entries(query: Query, start: float, end: float) -> Iterator[_Entry]:
    """Yield the simulator's own entries, and those of the network in a range."""
    for index, (_, data) in enumerate(query.log):
        yield _Entry(str(data["timestamp"])[:_TIME_LENGTH], f"own {index}", data)
    # A microsecond more on both sides, to which timestamps are rounded.
    for _, data in query.network.activity(end + 1e-6, start - 1e-6):
        time = str(data["timestamp"])[:_TIME_LENGTH]
        yield _Entry(time, str(data["message"]), data)


def _row(seed: int, entry: _Entry) -> Row:
    """Return ``ActivityLog``; as in events, logins have no user."""
    data = entry.data
    row: Row = {"log_uuid": resource_uuid(seed, f"log entry {entry.time} {entry.key}")}
    if "user" in data:
        row["user"] = data["user"]
    return row | {
        "level": _LEVELS.index(str(data["log_level"])),
        "category": data["category"],
        "event": data["event"],
        "message": data["message"],
        "time_created": data["timestamp"],
    }


def _matches(data: Row, parameters: Mapping[str, str]) -> bool:
    """Return whether an entry has the requested level, category and event, and names the circuit."""
    if "level" in parameters and str(_LEVELS.index(str(data["log_level"]))) != parameters["level"]:
        return False
    wanted = {name: parameters[name] for name in ("category", "event") if name in parameters}
    return parameters.get("circuit_id", "") in str(data["message"]) and wanted.items() <= data.items()


ACTIVITY_LOGS = Resource(ResourceName.ACTIVITY_LOGS, "/v2/activity-logs", _entries)
