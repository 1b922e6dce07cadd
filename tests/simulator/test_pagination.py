"""Query parameters filter and page the rows of a list."""

from __future__ import annotations

import pytest

from pf_exporter.simulator.errors import BadRequest
from pf_exporter.simulator.pagination import Row, page, select

ROWS: list[Row] = [
    {"port_circuit_id": "PF-AP-LAX1-1", "description": "Core uplink", "pop": "LAX1", "is_lag": False},
    {"port_circuit_id": "PF-AE-NYC1-2", "description": "Backup", "pop": "NYC1", "is_lag": True},
    {"vc_circuit_id": "PF-BC-3", "interfaces": [{"port_circuit_id": "PF-AE-NYC1-2", "pop": "NYC1"}]},
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [0, 1, 2]),
        ({"unknown": "x"}, [0, 1, 2]),
        ({"q": "UPLINK"}, [0]),
        ({"q": "nyc1"}, [1, 2]),
        ({"is_lag": "true"}, [1]),
        ({"pop": "nyc1", "is_lag": "false"}, []),
        ({"port_circuit_id": "PF-AE-NYC1-2"}, [1, 2]),
    ],
)
def test_select(query: dict[str, str], expected: list[int]) -> None:
    """Text and filters ignore case and cover the interfaces of a circuit; unknown parameters are ignored."""
    assert select(ROWS, query) == [ROWS[index] for index in expected]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [0, 1, 2]),
        ({"page_size": "2"}, [0, 1]),
        ({"page_size": "2", "offset": "2"}, [2]),
        ({"offset": "9"}, []),
    ],
)
def test_page(query: dict[str, str], expected: list[int]) -> None:
    """The page starts at the offset, has at most page_size rows, and is empty after the end."""
    assert page(ROWS, query) == [ROWS[index] for index in expected]


@pytest.mark.parametrize("query", [{"page_size": "0"}, {"page_size": "x"}, {"offset": "-1"}])
def test_invalid_pages(query: dict[str, str]) -> None:
    """A size below 1, an offset below 0 and text are rejected by name."""
    (name,) = query
    with pytest.raises(BadRequest, match=f"^{name}: "):
        page(ROWS, query)
