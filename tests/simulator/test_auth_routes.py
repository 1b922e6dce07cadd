"""Login, logout, sessions and API keys behave as the API's description says."""

from __future__ import annotations

import re

from pf_exporter.simulator import Simulator
from tests.simulator.client import Client
from tests.simulator.conftest import Clock

UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def test_login_creates_a_session(client: Client, simulator: Simulator) -> None:
    """A login is counted and returns a valid token and an expiry time without a zone."""
    response = client.try_login()
    assert response.status_code == 200
    session = response.json()
    assert re.fullmatch(UUID, session["token"])
    assert re.fullmatch(r"2026-10-\d\dT\d\d:\d\d:\d\d\.\d{6}", session["time_expires"])
    assert (simulator.logins, simulator.live_sessions) == (1, 1)
    client.token = session["token"]
    assert client.request("GET", "/v2/customers/current").json()["name"] == "Vandelay Industries"


def test_failed_logins(client: Client, simulator: Simulator) -> None:
    """A wrong password returns 401, a malformed body 400; only attempts are counted."""
    assert client.try_login("wrong").status_code == 401
    response = client.request("POST", "/v2/auth/login", {"login": "demo"})
    assert response.status_code == 400
    assert response.json().keys() == {"message", "request_id"}
    assert client.request("POST", "/v2/auth/login", [1]).status_code == 400
    assert client.request("POST", "/v2/auth/login").status_code == 400
    assert (simulator.logins, simulator.login_attempts) == (0, 4)


def test_logout_ends_the_session(client: Client, simulator: Simulator) -> None:
    """After logout the token is invalid; a logout with an API key changes nothing."""
    client.log_in()
    assert client.request("GET", "/v2/auth/logout").json() == {"message": "logged out"}
    assert client.request("GET", "/v2/ports").status_code == 401
    client.token = simulator.api_key
    assert client.request("GET", "/v2/auth/logout").status_code == 200
    assert client.request("GET", "/v2/ports").status_code == 200
    assert simulator.logouts == 2
    assert simulator.requests("GET", "/v2/ports") == 2


def test_sessions_can_be_listed_and_deleted(client: Client, simulator: Simulator) -> None:
    """The list contains all sessions and no API key; deleting it ends all sessions and no API key."""
    tokens = {Client(simulator).log_in().token for _ in range(3)}
    assert {session["token"] for session in client.request("GET", "/v2/auth/sessions").json()} == tokens
    assert client.request("DELETE", "/v2/auth/sessions").json() == {"message": "logged out"}
    assert client.request("GET", "/v2/auth/sessions").json() == []


def test_sessions_expire(client: Client, clock: Clock) -> None:
    """A session expires after exactly thirty days; an API key without an expiry time stays valid."""
    session = Client(client.simulator).log_in()
    clock.now += 30 * 86400 - 1
    assert session.request("GET", "/v2/ports").status_code == 200
    clock.now += 1
    assert session.request("GET", "/v2/ports").status_code == 401
    assert client.request("GET", "/v2/ports").status_code == 200


def test_api_key_with_expiry(client: Client, clock: Clock) -> None:
    """The token is shown once, is absent from the list, and is valid until it expires."""
    response = client.request("POST", "/v2/api-keys", {"name": "Silver key", "expiration": 60})
    assert response.status_code == 201
    key = response.json()
    assert re.fullmatch(f"api-{UUID}-{UUID}", key["token"])
    rows = client.request("GET", "/v2/api-keys").json()
    assert [row["name"] for row in rows] == ["demo", "automation", "reporting", "Silver key"]
    assert all("token" not in row for row in rows)

    holder = Client(client.simulator)
    holder.token = key["token"]
    assert holder.request("GET", "/v2/ports").status_code == 200
    clock.now += 60
    assert holder.request("GET", "/v2/ports").status_code == 401


def test_api_key_without_expiry(client: Client) -> None:
    """A key without an expiry time is valid until it is deleted; deleting it again returns 404."""
    key = client.request("POST", "/v2/api-keys", {"name": "Gold key"}).json()
    assert "expiration" not in key
    holder = Client(client.simulator)
    holder.token = key["token"]
    assert holder.request("GET", "/v2/ports").status_code == 200
    path = f"/v2/api-keys/{key['uuid']}"
    assert client.request("DELETE", path).json() == {"message": "API key deleted"}
    assert holder.request("GET", "/v2/ports").status_code == 401
    assert client.request("DELETE", path).status_code == 404


def test_invalid_api_keys(client: Client) -> None:
    """A key needs a name, and a lifetime of at least one second."""
    assert client.request("POST", "/v2/api-keys", {}).status_code == 400
    assert client.request("POST", "/v2/api-keys", {"name": "x", "expiration": 0}).status_code == 400
