"""Subscriptions are created, bound to a token, and expire as the API's description says."""

from __future__ import annotations

from tests.simulator.client import ALL_STREAMS, Client
from tests.simulator.conftest import Clock

INVALID_STREAMS: tuple[object, ...] = (
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


def test_invalid_subscriptions_are_rejected(client: Client) -> None:
    """A body that does not match the schema returns 400 with a message and a request ID."""
    for streams in INVALID_STREAMS:
        response = client.request("POST", "/v2/events", {"streams": streams})
        assert (response.status_code, response.json().keys()) == (400, {"message", "request_id"}), streams
    assert client.simulator.subscriptions == 0


def test_a_subscription_is_bound_to_its_token(client: Client) -> None:
    """With another token, even of the same user, a subscription returns 404; so does an unknown one."""
    uuid = client.subscribe()
    other = Client(client.simulator).log_in()
    with other.stream(uuid) as response:
        assert response.status_code == 404
    with client.stream("11111111-2222-3333-4444-555555555555") as response:
        assert response.status_code == 404
    with client.stream(uuid) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["transfer-encoding"] == "chunked"


def test_subscriptions_expire(client: Client, clock: Clock) -> None:
    """An unstreamed subscription expires after five minutes; a streamed one is valid as long as its token."""
    waiting, streamed = client.subscribe(*ALL_STREAMS), client.subscribe(*ALL_STREAMS)
    with client.stream(streamed):
        pass
    assert client.simulator.live_subscriptions == 2
    clock.now += 301
    assert client.simulator.live_subscriptions == 1
    with client.stream(waiting) as response:
        assert response.status_code == 404
    clock.now += 86400
    with client.stream(streamed) as response:
        assert response.status_code == 200
