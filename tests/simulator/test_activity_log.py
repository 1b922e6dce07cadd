"""The activity log has the variety of the API's own examples, and the same entries when it is polled."""

from __future__ import annotations

from itertools import islice
from typing import Any

from pf_exporter.simulator import Network
from pf_exporter.simulator.time_range import parse_time
from pf_exporter.simulator.traffic import DAY
from tests.simulator.client import Client
from tests.simulator.conftest import NOW


def test_entries_vary(network: Network) -> None:
    """Entries have names, addresses and both timestamp formats, and logins have no user field."""
    log = list(islice(network.activity(NOW + DAY, NOW), 400))
    assert {"customer|auth", "customer|physical_interface", "customer|bgp"} <= {name for name, _ in log}
    assert {str(data["timestamp"])[26:] for _, data in log} == {"", "+0000"}
    logins = [data for _, data in log if data["event"] == "login"]
    assert any("Hank Aaron" in str(data["message"]) and "ip_address" in data for data in logins)
    assert all("user" not in data for data in logins)
    assert any(data.get("user") == "system" for _, data in log)


def entries(client: Client, **query: object) -> list[dict[str, Any]]:
    response = client.request("GET", "/v2/activity-logs", **query)
    assert response.status_code == 200, response.text
    rows: list[dict[str, Any]] = response.json()
    return rows


def test_the_activity_log_has_the_streamed_entries(client: Client, network: Network) -> None:
    """A day of the log has exactly the entries that streams sent, with the same fields and times."""
    client.try_login()
    streamed = [data for _, data in network.activity(NOW, NOW - 86400)]
    polled = entries(client, time_from="2026-09-20T14:13:20", sort_order="asc")
    assert polled[-1]["message"] == "User demo logged in."
    levels = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
    assert len(streamed) > 300
    for row, data in zip(polled, streamed, strict=False):
        assert row.get("user") == data.get("user")
        assert (row["category"], row["event"], row["message"], row["time_created"], levels[row["level"]]) == (
            data["category"],
            data["event"],
            data["message"],
            data["timestamp"],
            data["log_level"],
        )
    assert len(polled) == len(streamed) + 1
    assert len({row["log_uuid"] for row in polled}) == len(polled)


def test_the_activity_log_is_paged_and_filtered(client: Client) -> None:
    """Pages, newest first, add up to the whole; both ends of the time range are included."""
    whole = entries(client, time_from="2026-09-21")
    times = [parse_time("time_created", row["time_created"]) for row in whole]
    assert times == sorted(times, reverse=True)
    pages = [
        entries(client, time_from="2026-09-21", page_size=50, offset=offset) for offset in range(0, 500, 50)
    ]
    assert [row for page in pages for row in page] == whole
    first, last = whole[20]["time_created"], whole[10]["time_created"]
    assert entries(client, time_from=first, time_to=last) == whole[10:21]
    assert {row["event"] for row in entries(client, category="auth", event="login")} == {"login"}
    assert {row["level"] for row in entries(client, level=3)} == {3}
    circuit = client.simulator.network.circuits[0].circuit_id
    assert all(circuit in row["message"] for row in entries(client, circuit_id=circuit))
    assert client.request("GET", "/v2/activity-logs", category="bgp").status_code == 400
    assert client.request("GET", "/v2/activity-logs", time_from="noon").status_code == 400
