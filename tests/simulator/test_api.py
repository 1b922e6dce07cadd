"""The routes answer as PacketFabric's own description of them says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pf_exporter.simulator import Simulator
from tests.simulator.client import ALL, Client
from tests.simulator.conftest import Clock

DOORS = (
    ("GET", "/v2/ports"),
    ("GET", "/v2/services"),
    ("GET", "/v2/services/cloud-routers/connections"),
    ("GET", "/v2/customers/current"),
    ("GET", "/v2/auth/sessions"),
    ("GET", "/v2/api-keys"),
    ("POST", "/v2/events"),
    ("GET", "/v2/events/11111111-2222-3333-4444-555555555555"),
)
WRONG_STREAMS: tuple[object, ...] = (
    None,
    "port",
    [{}],
    ["port"],
    [{"type": "weather"}],
    [{"type": "port", "events": ["metrics", "weather"]}],
    [{"type": "vc", "events": ["errors"]}],
    [{"type": "customer", "events": ["billing"]}],
    [{"type": "port", "ifds": "PF-AP-LAX1-2000001"}],
    [{"type": "vc", "vcs": [7]}],
)
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def test_a_login_gives_a_session(client: Client, simulator: Simulator) -> None:
    """A login is counted and answers with a token and a time without a zone; the token opens doors."""
    answer = client.try_login()
    assert answer.status_code == 200
    session = answer.json()
    assert re.fullmatch(UUID, session["token"])
    assert re.fullmatch(r"2026-10-\d\dT\d\d:\d\d:\d\d\.\d{6}", session["time_expires"])
    assert (simulator.logins, simulator.live_sessions) == (1, 1)
    client.token = session["token"]
    assert client.ask("GET", "/v2/customers/current").json()["name"] == "Vandelay Industries"


def test_wrong_words_do_not_get_in(client: Client, simulator: Simulator) -> None:
    """A wrong password is answered 401, an incomplete or garbled login 400, and neither counts as a login."""
    assert client.try_login("wrong").status_code == 401
    answer = client.ask("POST", "/v2/auth/login", {"login": "demo"})
    assert answer.status_code == 400
    assert answer.json().keys() == {"message", "request_id"}
    assert client.ask("POST", "/v2/auth/login", [1]).status_code == 400
    assert client.ask("POST", "/v2/auth/login").status_code == 400
    assert (simulator.logins, simulator.login_attempts) == (0, 4)


@pytest.mark.parametrize("token", [None, "wrong", ""])
def test_every_door_wants_a_token(client: Client, token: str | None) -> None:
    """Without a token, or with one never given, each route answers 401 and says so in JSON."""
    client.token = token
    for method, path in DOORS:
        answer = client.ask(method, path)
        assert (answer.status_code, answer.json().keys()) == (401, {"message"}), path


def test_what_is_not_there_is_not_found(client: Client) -> None:
    """An unknown path is answered 404 in JSON, a known one with the wrong method 405."""
    answer = client.ask("GET", "/v2/nothing")
    assert (answer.status_code, answer.json()) == (404, {"message": "Requested URL /v2/nothing not found"})
    assert client.ask("DELETE", "/v2/ports").status_code == 405


def test_a_logout_ends_the_session(client: Client, simulator: Simulator) -> None:
    """After logout the token opens nothing; logging out with an API key changes nothing."""
    client.log_in()
    assert client.ask("GET", "/v2/auth/logout").json() == {"message": "logged out"}
    assert client.ask("GET", "/v2/ports").status_code == 401
    client.token = simulator.api_key
    assert client.ask("GET", "/v2/auth/logout").status_code == 200
    assert client.ask("GET", "/v2/ports").status_code == 200
    assert simulator.logouts == 2
    assert simulator.requests("GET", "/v2/ports") == 2


def test_sessions_can_be_listed_and_ended(client: Client, simulator: Simulator) -> None:
    """The list shows every login and no API key; deleting it ends every login and no API key."""
    tokens = {Client(simulator).log_in().token for _ in range(3)}
    assert {session["token"] for session in client.ask("GET", "/v2/auth/sessions").json()} == tokens
    assert client.ask("DELETE", "/v2/auth/sessions").json() == {"message": "logged out"}
    assert client.ask("GET", "/v2/auth/sessions").json() == []


def test_sessions_expire(client: Client, clock: Clock) -> None:
    """A session holds for thirty days and not a second longer; an API key without end holds on."""
    session = Client(client.simulator).log_in()
    clock.now += 30 * 86400 - 1
    assert session.ask("GET", "/v2/ports").status_code == 200
    clock.now += 1
    assert session.ask("GET", "/v2/ports").status_code == 401
    assert client.ask("GET", "/v2/ports").status_code == 200


def test_an_api_key_lives_and_dies(client: Client, clock: Clock) -> None:
    """A key's token is shown once, opens doors until it expires or is deleted, and the list hides it."""
    answer = client.ask("POST", "/v2/api-keys", {"name": "Silver key", "expiration": 60})
    assert answer.status_code == 201
    key = answer.json()
    assert re.fullmatch(f"api-{UUID}-{UUID}", key["token"])
    listed = client.ask("GET", "/v2/api-keys").json()
    assert [row["name"] for row in listed] == ["demo", "Silver key"]
    assert all("token" not in row for row in listed)

    holder = Client(client.simulator)
    holder.token = key["token"]
    assert holder.ask("GET", "/v2/ports").status_code == 200
    clock.now += 60
    assert holder.ask("GET", "/v2/ports").status_code == 401

    lasting = client.ask("POST", "/v2/api-keys", {"name": "Gold key"}).json()
    assert "expiration" not in lasting
    holder.token = lasting["token"]
    path = f"/v2/api-keys/{lasting['uuid']}"
    assert client.ask("DELETE", path).json() == {"message": "API key deleted"}
    assert holder.ask("GET", "/v2/ports").status_code == 401
    assert client.ask("DELETE", path).status_code == 404
    assert client.ask("POST", "/v2/api-keys", {}).status_code == 400
    assert client.ask("POST", "/v2/api-keys", {"name": "x", "expiration": 0}).status_code == 400


def pages(client: Client, path: str, size: int) -> Iterator[list[dict[str, Any]]]:
    offset = 0
    while rows := client.ask("GET", path, page_size=size, offset=offset).json():
        yield rows
        offset += size


@pytest.mark.parametrize("path", ["/v2/ports", "/v2/services"])
def test_lists_come_in_pages(client: Client, path: str) -> None:
    """Pages of five, one after the other, are the whole list; without page_size the list comes whole."""
    whole = client.ask("GET", path).json()
    got = list(pages(client, path, 5))
    assert [len(rows) for rows in got] == {12: [5, 5, 2], 16: [5, 5, 5, 1]}[len(whole)]
    assert [row for rows in got for row in rows] == whole
    assert client.ask("GET", path, page_size=0).status_code == 400
    assert client.ask("GET", path, offset="x").status_code == 400


def test_ports_can_be_searched(client: Client) -> None:
    """Ports are found by words, by place, and by being a LAG or a member of one."""

    def found(**query: str) -> list[str]:
        return [row["port_circuit_id"] for row in client.ask("GET", "/v2/ports", **query).json()]

    assert found(is_lag="true") == ["PF-AE-NYC1-2000004"]
    assert found(is_lag_member="true") == ["PF-AP-NYC1-2000005", "PF-AP-NYC1-2000006"]
    assert len(found(q="lax")) == len(found(pop="LAX1")) == 3
    assert found(q="2000001") == ["PF-AP-LAX1-2000001"]
    assert found(q="nowhere") == []


def test_services_can_be_searched(client: Client) -> None:
    """Circuits are found by words, by the port they land on, and by their kind."""
    port = "PF-AE-NYC1-2000004"
    rows = client.ask("GET", "/v2/services", port_circuit_id=port).json()
    assert rows
    for row in rows:
        assert port in [interface["port_circuit_id"] for interface in row["interfaces"]]
    assert client.ask("GET", "/v2/services", q=port).json() == rows
    assert len(client.ask("GET", "/v2/services", service_type="backbone").json()) == 16
    assert client.ask("GET", "/v2/services", service_type="ix").json() == []


def test_a_wrong_subscription_is_refused(client: Client) -> None:
    """A body that the schema does not allow is answered 400, with a message and the id of the request."""
    for streams in WRONG_STREAMS:
        answer = client.ask("POST", "/v2/events", {"streams": streams})
        assert (answer.status_code, answer.json().keys()) == (400, {"message", "request_id"}), streams
    assert client.simulator.bundles == 0


def test_a_bundle_belongs_to_its_session(client: Client) -> None:
    """Another token, even the same user's, gets 404 for a bundle; so does an unknown one."""
    uuid = client.subscribe()
    stranger = Client(client.simulator).log_in()
    with stranger.stream(uuid) as response:
        assert response.status_code == 404
    with client.stream("11111111-2222-3333-4444-555555555555") as response:
        assert response.status_code == 404
    with client.stream(uuid) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["transfer-encoding"] == "chunked"


def test_a_bundle_waits_five_minutes(client: Client, clock: Clock) -> None:
    """Unstreamed, a bundle is gone after five minutes; once streamed, it stays as long as its token."""
    waiting, streamed = client.subscribe(*ALL), client.subscribe(*ALL)
    with client.stream(streamed):
        pass
    assert client.simulator.live_bundles == 2
    clock.now += 301
    assert client.simulator.live_bundles == 1
    with client.stream(waiting) as response:
        assert response.status_code == 404
    clock.now += 86400
    with client.stream(streamed) as response:
        assert response.status_code == 200


def test_stopping_is_quick(simulate: Callable[..., Simulator]) -> None:
    """A simulator with open streams stops at once, and its streams come to an orderly end."""
    simulator = simulate(interval=3600, heartbeat=3600)
    with Client(simulator).stream() as response:
        assert simulator.wait(lambda: simulator.open_streams == 1)
        simulator.stop()
        assert response.raw.read()  # raises for a broken end
    assert simulator.open_streams == 0
