"""The query parameters of a list: filters, and the page to return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from pf_exporter.simulator.errors import BadRequest

_Item = TypeVar("_Item")

Row = dict[str, object]
"""One JSON object of a list."""

_SEARCHED = ("description", "port_circuit_id", "vc_circuit_id", "pop", "region")
_FILTERS = (
    "port_circuit_id",
    "pop",
    "market",
    "service_type",
    "is_lag",
    "is_lag_member",
    "is_cloud",
    "is_nni",
)


def is_filtered(query: Mapping[str, str]) -> bool:
    """Return whether :func:`select` can omit rows."""
    return "q" in query or any(name in query for name in _FILTERS)


def select(rows: Sequence[Row], query: Mapping[str, str]) -> list[Row]:
    """Return the rows that contain ``q`` and match the other parameters; unknown parameters are ignored."""
    text = query.get("q", "").lower()
    selected = [row for row in rows if any(text in value.lower() for value in _values(row, *_SEARCHED))]
    for name in _FILTERS:
        if name in query:
            wanted = query[name].lower()
            selected = [row for row in selected if wanted in map(str.lower, _values(row, name))]
    return selected


def page(rows: Sequence[_Item], query: Mapping[str, str]) -> Sequence[_Item]:
    """Return the page selected by ``offset`` and ``page_size``; all rows without them."""
    offset = integer(query, "offset", 0, minimum=0)
    size = integer(query, "page_size", len(rows), minimum=1)
    return rows[offset : offset + size]


def _values(row: Row, *fields: str) -> list[str]:
    """Return the fields of a row and of its interfaces, so that a circuit matches the ports it connects.

    >>> _values({"vc_circuit_id": "PF-BC-1", "interfaces": [{"pop": "LAX1"}]}, "pop")
    ['LAX1']
    """
    interfaces = row.get("interfaces", [])
    assert isinstance(interfaces, list)
    return [str(item[field]) for item in (row, *interfaces) for field in fields if field in item]


def integer(query: Mapping[str, str], name: str, default: int, *, minimum: int) -> int:
    """Return a parameter that is an integer; raises :class:`BadRequest` if it is not, or too small."""
    if name not in query:
        return default
    try:
        number = int(query[name])
    except ValueError:
        number = minimum - 1
    if number < minimum:
        raise BadRequest(f"{name}: ensure this value is an integer greater than or equal to {minimum}")
    return number
