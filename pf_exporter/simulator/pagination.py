"""The lists: which rows a query asks for, and which page of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pf_exporter.simulator.account import BadRequest
from pf_exporter.simulator.resources import Row

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


def select(rows: Sequence[Row], query: Mapping[str, str]) -> list[Row]:
    """The rows that contain ``q`` and have what the other parameters say; unknown ones are of no account."""
    words = query.get("q", "").lower()
    rows = [row for row in rows if any(words in value.lower() for value in _values(row, *_SEARCHED))]
    for name in _FILTERS:
        if name in query:
            rows = [row for row in rows if query[name].lower() in map(str.lower, _values(row, name))]
    return list(rows)


def _values(row: Row, *fields: str) -> list[str]:
    """The fields of a row and of its interfaces, for a circuit is found by what it connects.

    >>> _values({"vc_circuit_id": "PF-BC-1", "interfaces": [{"pop": "LAX1"}]}, "pop")
    ['LAX1']
    """
    interfaces = row.get("interfaces", [])
    assert isinstance(interfaces, list)
    return [str(place[field]) for place in (row, *interfaces) for field in fields if field in place]


def page(rows: list[Row], query: Mapping[str, str]) -> list[Row]:
    """The page that ``offset`` and ``page_size`` name; everything without them."""
    offset = _number(query, "offset", 0, least=0)
    size = _number(query, "page_size", len(rows), least=1)
    return rows[offset : offset + size]


def _number(query: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    if name not in query:
        return default
    try:
        number = int(query[name])
    except ValueError:
        number = least - 1
    if number < least:
        raise BadRequest(f"{name}: ensure this value is an integer greater than or equal to {least}")
    return number
