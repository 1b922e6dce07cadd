"""BGP sessions of cloud router connections flap, and lists, routes and logs agree."""

from __future__ import annotations

from typing import Any

import pytest

from pf_exporter.simulator.time_range import parse_time
from tests.simulator.client import Client
from tests.simulator.conftest import NOW, Clock

ROUTER = "/v2/services/cloud-routers/PF-L3-CUST-5000001"
STEADY, FLAPPING = "PF-L3-CON-4000001", "PF-L3-CON-4000002"


def states(client: Client) -> dict[str, list[dict[str, str]]]:
    rows = client.request("GET", "/v2/services/cloud-routers/connections").json()
    return {row["cloud_circuit_id"]: row["bgp_state_list"] for row in rows}


def logs(client: Client, **query: object) -> list[dict[str, Any]]:
    query = {"time_from": "2026-09-21T00:00:00Z", "time_to": "2026-09-22T00:00:00Z"} | query
    rows: list[dict[str, Any]] = client.request("GET", f"{ROUTER}/bgp-logs", **query).json()
    return rows


def routes(client: Client, connection: str, route_type: str) -> list[dict[str, Any]]:
    path = f"{ROUTER}/connections/{connection}/bgp-routes"
    rows: list[dict[str, Any]] = client.request("GET", path, route_type=route_type).json()
    return rows


def test_states_and_log(client: Client, clock: Clock) -> None:
    """Each time the session goes down, it passes through idle and transitional states, as in the log."""
    clock.now = NOW + 7200
    changes = [row["message"].partition(" changed ")[2] for row in logs(client)]
    assert changes[:5] == [
        "state from OpenConfirm to Established",
        "state from OpenSent to OpenConfirm",
        "state from Connect to OpenSent",
        "state from Idle to Connect",
        "state from Established to Idle",
    ]
    *_, down = times = [parse_time("timestamp", row["timestamp"]) for row in logs(client)[:5]]
    assert times == sorted(times, reverse=True)
    seen = []
    for second in range(-10, 220, 10):
        clock.now = down + second
        (session,) = states(client)[FLAPPING]
        seen.append(session["bgp_state"])
        established = session["bgp_state"] == "established"
        assert bool(routes(client, FLAPPING, "received")) is established
    assert list(dict.fromkeys(seen)) == ["established", "idle", "configuring", "fetching"]
    assert seen[-1] == "established"


def test_the_log_never_changes(client: Client, clock: Clock) -> None:
    """Two ranges that meet have the entries of the whole, and none is from the future."""
    clock.now = NOW + 86400
    whole = logs(client)
    middle = whole[len(whole) // 2]["timestamp"]
    later, earlier = logs(client, time_from=middle), logs(client, time_to=middle)
    assert [*later, *earlier[1:]] == whole
    clock.now = parse_time("timestamp", middle) - 1
    assert logs(client) == earlier[1:]
    assert logs(client, cloud_circuit_id=STEADY) == []
    assert logs(client, cloud_circuit_id=FLAPPING) == logs(client)


def test_a_disabled_session(client: Client) -> None:
    """The settings tell a session that is switched off, which is idle, from one that is down."""
    settings = client.request("GET", "/v2/bgp-settings").json()
    (disabled,) = [row["bgp_settings_uuid"] for row in settings if row["disabled"]]
    sessions = {
        row["bgp_settings_uuid"]: row["bgp_state"] for rows in states(client).values() for row in rows
    }
    assert sessions.keys() == {row["bgp_settings_uuid"] for row in settings}
    assert sessions[disabled] == "idle"


@pytest.mark.parametrize(
    ("route_type", "count"),
    [("received", 24), ("received_hidden", 2), ("advertised", 12), ("not_active", 3)],
)
def test_routes(client: Client, route_type: str, count: int) -> None:
    """An established session has routes of each type, all different."""
    rows = routes(client, STEADY, route_type)
    assert len({row["destination"] for row in rows}) == len(rows) == count


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{ROUTER}/connections/{STEADY}/bgp-routes", 400),
        (f"{ROUTER}/connections/{STEADY}/bgp-routes?route_type=all", 400),
        (f"{ROUTER}/connections/PF-L3-CON-1/bgp-routes?route_type=received", 404),
        (f"{ROUTER}/bgp-logs", 400),
        ("/v2/services/cloud-routers/PF-L3-CUST-1/bgp-logs?time_from=2026-09-21&time_to=2026-09-22", 404),
    ],
)
def test_invalid_requests(client: Client, path: str, status: int) -> None:
    """Unknown routers and connections return 404; missing and unknown parameters return 400."""
    assert client.request("GET", path).status_code == status
