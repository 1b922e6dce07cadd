"""Lists are paged and filtered as the API's description says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.simulator.client import Client


def read_pages(client: Client, path: str, size: int) -> Iterator[list[dict[str, Any]]]:
    offset = 0
    while rows := client.request("GET", path, page_size=size, offset=offset).json():
        yield rows
        offset += size


@pytest.mark.parametrize("path", ["/v2/ports", "/v2/services"])
def test_lists_are_paged(client: Client, path: str) -> None:
    """All pages together are the list that is returned without page_size."""
    whole = client.request("GET", path).json()
    pages = list(read_pages(client, path, 5))
    assert [len(rows) for rows in pages] == {12: [5, 5, 2], 16: [5, 5, 5, 1]}[len(whole)]
    assert [row for rows in pages for row in rows] == whole


def test_ports_can_be_filtered(client: Client) -> None:
    """Ports can be selected by text, by POP, and by being a LAG or a member of one."""

    def select(**query: str) -> list[str]:
        return [row["port_circuit_id"] for row in client.request("GET", "/v2/ports", **query).json()]

    assert select(is_lag="true") == ["PF-AE-NYC1-2000004"]
    assert select(is_lag_member="true") == ["PF-AP-NYC1-2000005", "PF-AP-NYC1-2000006"]
    assert len(select(q="lax")) == len(select(pop="LAX1")) == 3
    assert select(q="2000001") == ["PF-AP-LAX1-2000001"]
    assert select(q="nowhere") == []


def test_services_can_be_filtered(client: Client) -> None:
    """Virtual circuits can be selected by text, by the port of an end, and by service type."""
    port = "PF-AE-NYC1-2000004"
    rows = client.request("GET", "/v2/services", port_circuit_id=port).json()
    assert rows
    for row in rows:
        assert port in [interface["port_circuit_id"] for interface in row["interfaces"]]
    assert client.request("GET", "/v2/services", q=port).json() == rows
    assert len(client.request("GET", "/v2/services", service_type="backbone").json()) == 16
    assert client.request("GET", "/v2/services", service_type="ix").json() == []
