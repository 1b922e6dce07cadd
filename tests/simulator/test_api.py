"""Every route authenticates its caller, and errors are JSON."""

from __future__ import annotations

import pytest

from pf_exporter.simulator.resources import RESOURCES
from tests.simulator.client import Client

AUTHENTICATED_ROUTES = (
    *(("GET", resource.path) for resource in RESOURCES),
    ("GET", "/v2/auth/sessions"),
    ("DELETE", "/v2/auth/sessions"),
    ("POST", "/v2/api-keys"),
    ("DELETE", "/v2/api-keys/11111111-2222-3333-4444-555555555555"),
    ("POST", "/v2/events"),
    ("GET", "/v2/events/11111111-2222-3333-4444-555555555555"),
)


@pytest.mark.parametrize("token", [None, "wrong", ""])
def test_every_route_requires_a_token(client: Client, token: str | None) -> None:
    """Without a token, or with an unknown one, each route returns 401 with a JSON message."""
    client.token = token
    for method, path in AUTHENTICATED_ROUTES:
        response = client.request(method, path)
        assert (response.status_code, response.json().keys()) == (401, {"message"}), path


def test_unknown_routes(client: Client) -> None:
    """An unknown path returns 404 in JSON, a known path with the wrong method 405."""
    response = client.request("GET", "/v2/nothing")
    assert response.status_code == 404
    assert response.json() == {"message": "Requested URL /v2/nothing not found"}
    assert client.request("DELETE", "/v2/ports").status_code == 405
