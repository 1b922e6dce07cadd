"""Each fault does what its description says, from when it is enabled until it is disabled."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice

import pytest
import requests

from pf_exporter.errors import ConfigError
from pf_exporter.simulator import FAULTS, Options, Simulator
from pf_exporter.simulator.faults import Fault, Faults
from tests.simulator.client import Client, read_events, read_frames
from tests.simulator.conftest import Clock, StartSimulator


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def shared(clock: Clock) -> Iterator[Simulator]:
    """One simulator for all tests; the ``client`` fixture disables the faults of a test."""
    with Simulator(Options(interval=0.05, heartbeat=0.1, listen_address="127.0.0.1:0"), clock) as simulator:
        yield simulator


@pytest.fixture
def client(shared: Simulator) -> Iterator[Client]:
    yield Client(shared)
    for fault in shared.faults:
        shared.faults.discard(fault.flag)


Check = Callable[[Client], None]
"""Asserts the effect of an enabled fault."""

CHECKS: dict[str, Check] = {}


def check(fault: str) -> Callable[[Check], Check]:
    """Register the check of a fault, given as ``NAME`` or ``NAME:NUMBER``."""

    def register(function: Check) -> Check:
        CHECKS[fault] = function
        return function

    return register


MAINTENANCE = "/v2/maintenances/notifications"


def open_stream(client: Client) -> requests.Response:
    """Return the response to opening a stream, with its body read."""
    with client.stream() as response:
        assert response.content is not None
        return response


def subscribe(client: Client) -> requests.Response:
    return client.request("POST", "/v2/events", {"streams": []})


def poll(client: Client) -> requests.Response:
    return client.request("GET", MAINTENANCE)


TEXT, HTML = {"content-type": "text/plain; charset=utf-8"}, {"content-type": "text/html; charset=utf-8"}
RESPONSES: dict[str, tuple[Callable[[Client], requests.Response], int, dict[str, str]]] = {
    "login-401": (Client.try_login, 401, {}),
    "login-429:7": (Client.try_login, 429, {"retry-after": "7"}),
    "login-500": (Client.try_login, 500, TEXT),
    "subscribe-403": (subscribe, 403, {}),
    "subscribe-500": (subscribe, 500, TEXT),
    "stream-404": (open_stream, 404, {}),
    "stream-500": (open_stream, 500, TEXT),
    "stream-html": (open_stream, 200, HTML),
    "poll-429:maintenance:30": (poll, 429, {"retry-after": "30"}),
    "poll-500:maintenance": (poll, 500, TEXT),
    "poll-html:maintenance": (poll, 200, HTML),
}
"""By fault, the request that it changes, and the status and headers of its response."""


def read_timestamps(client: Client, count: int) -> list[str]:
    port = client.simulator.network.ports[0].circuit_id
    stream = {"type": "port", "events": ["metrics"], "ifds": [port]}
    with client.stream(client.subscribe(stream)) as response:
        return [data["timestamp"] for _, data in islice(read_events(response), count)]


@check("login-mfa")
def _(client: Client) -> None:
    assert client.try_login().json()["mfa_required"] is True
    assert client.log_in().request("GET", "/v2/ports").status_code == 401


@check("login-eula")
def _(client: Client) -> None:
    assert client.try_login().json()["should_sign_eula"] is True
    assert client.log_in().request("GET", "/v2/ports").status_code == 401


@check("single-session")
def _(client: Client) -> None:
    first = Client(client.simulator).log_in()
    assert client.log_in().request("GET", "/v2/ports").status_code == 200
    assert first.request("GET", "/v2/ports").status_code == 401


@check("subscribe-empty")
def _(client: Client) -> None:
    response = subscribe(client)
    assert (response.status_code, response.json()) == (201, {})


@check("inventory-500")
def _(client: Client) -> None:
    for path in ("/v2/ports", "/v2/services"):
        assert client.request("GET", path).status_code == 500


@check("paging-ignored")
def _(client: Client) -> None:
    assert len(client.request("GET", "/v2/ports", page_size=5, offset=5).json()) == 12


@check("stream-204")
def _(client: Client) -> None:
    response = open_stream(client)
    assert (response.status_code, response.content) == (204, b"")


@check("stream-cut:3")
def _(client: Client) -> None:
    received: list[bytes] = []
    with client.stream() as response, pytest.raises(requests.exceptions.ChunkedEncodingError):
        received.extend(response.iter_content(None))
    *complete, broken = b"".join(received).split(b"\n\n")
    assert len(complete) == 3
    assert broken.startswith(b"event: ")


@check("stream-silence:5")
def _(client: Client) -> None:
    simulator = client.simulator
    with client.stream() as response:
        reader = read_frames(response)
        assert len(list(islice(reader, 5))) == 5
        sent = simulator.events_sent
        # A stream without events is not silenced; three of its heartbeats show that time has passed.
        with client.stream(client.subscribe({"type": "customer", "events": ["document"]})) as other:
            assert list(islice(read_frames(other), 3)) == [b":"] * 3
        assert simulator.events_sent == sent
        simulator.faults.discard("stream-silence")
        assert next(reader).startswith(b"event: "), "no heartbeat was sent meanwhile"


@check("stream-slow:0.01")
def _(client: Client) -> None:
    with client.stream() as response:
        chunks = list(islice(response.iter_content(None), 10))
    assert all(chunk.count(b"\n\n") <= 2 for chunk in chunks)


@check("stream-garbage")
def _(client: Client) -> None:
    with client.stream() as response:
        received = list(islice(read_frames(response), 60))
    malformed = 0
    for frame in received:
        try:
            json.loads(frame.partition(b"data: ")[2])
        except ValueError:
            malformed += 1
    assert malformed >= 4
    assert any(b"NaN" in frame for frame in received)
    assert any(frame.startswith(b"event: port|weather") for frame in received)


@check("rates-in-bytes")
def _(client: Client) -> None:
    with client.stream() as response:
        _, data = next(event for event in read_events(response) if event[0] == "port|metrics")
    # The rates have the size of a packet that the totals have, which are bytes.
    size = data["bytes_rx_total"] / data["packets_rx_total"]
    assert data["bytes_rx_bps"] / data["packets_rx_pps"] == pytest.approx(size, rel=0.1)


@check("duplicate-events")
def _(client: Client) -> None:
    with client.stream() as response:
        received = list(islice(read_events(response), 20))
    assert received[::2] == received[1::2]


@check("out-of-order")
def _(client: Client) -> None:
    timestamps = read_timestamps(client, 6)
    assert timestamps[0] > timestamps[1]
    assert timestamps[0] == timestamps[3]
    assert timestamps[2] > timestamps[3]


@check("no-second-connection")
def _(client: Client) -> None:
    uuid = client.subscribe()
    with client.stream(uuid) as first:
        reader = read_events(first)
        assert next(reader)
        with client.stream(uuid) as second:
            assert second.status_code == 409


@check("kick-first")
def _(client: Client) -> None:
    uuid = client.subscribe()
    with client.stream(uuid) as first:
        reader = read_events(first)
        assert next(reader)
        with client.stream(uuid) as second:
            assert next(read_events(second))
            assert list(reader), "an orderly end, after the data already sent"


@check("poll-403:maintenance")
def _(client: Client) -> None:
    assert client.request("GET", MAINTENANCE).status_code == 403
    assert client.request("GET", "/v2/ports").status_code == 200


@check("poll-404")
def _(client: Client) -> None:
    for path in ("/v2/ports", MAINTENANCE, "/v2/api-keys"):
        response = client.request("GET", path)
        assert (response.status_code, response.json()["message"]) == (404, f"Requested URL {path} not found")


@check("poll-slow:maintenance:60")
def _(client: Client) -> None:
    with pytest.raises(requests.ReadTimeout):
        requests.get(
            client.simulator.url + MAINTENANCE,
            headers={"Authorization": f"Bearer {client.token}"},
            timeout=0.2,
        )
    assert client.request("GET", "/v2/ports").status_code == 200


@check("poll-garbage")
def _(client: Client) -> None:
    rows = client.request("GET", "/v2/ports").json()
    assert [row["port_circuit_id"] for row in rows[:12]]
    assert {type(row) for row in rows[12:]} == {type(None), int, str, list, dict}
    assert client.request("GET", "/v2/ports", page_size=10, offset=10).json() == rows[10:20]
    assert isinstance(client.request("GET", "/v2/labels").json(), list)


@check("poll-truncated")
def _(client: Client) -> None:
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.request("GET", "/v2/ports")


def fault_name(spec: str) -> str:
    """Return the name in ``NAME`` or ``NAME:NUMBER``."""
    return spec.partition(":")[0]


def test_every_fault_is_checked() -> None:
    """There is a check for every fault, and every fault has a description."""
    assert {fault_name(spec) for spec in (*CHECKS, *RESPONSES, "stream-401")} == set(FAULTS)
    assert all(description.endswith(".") for description in FAULTS.values())


@pytest.mark.parametrize("spec", CHECKS)
def test_effect_of_a_fault(client: Client, spec: str) -> None:
    """A fault that is enabled while the simulator runs takes effect."""
    client.simulator.faults.add(spec)
    assert [fault.flag for fault in client.simulator.faults] == [fault_name(spec)]
    CHECKS[spec](client)


@pytest.mark.parametrize("spec", RESPONSES)
def test_response_of_a_fault(client: Client, spec: str) -> None:
    """A fault that replaces a response gives it the status and the headers of the description."""
    request, status, headers = RESPONSES[spec]
    client.simulator.faults.add(spec)
    response = request(client)
    assert response.status_code == status
    assert headers.items() <= {name.lower(): value for name, value in response.headers.items()}.items()


def test_an_old_token(client: Client, clock: Clock) -> None:
    """stream-401 refuses a stream if its token has the age of the fault, and nothing else."""
    client.simulator.faults.add("stream-401:60")
    client.log_in()
    with client.stream() as response:
        assert response.status_code == 200
    clock.now += 60
    assert open_stream(client).status_code == 401
    assert client.request("GET", "/v2/ports").status_code == 200


def test_faults_can_be_disabled(client: Client) -> None:
    """A fault that is discarded has no effect."""
    client.simulator.faults.add("login-401")
    assert client.try_login().status_code == 401
    client.simulator.faults.discard("login-401")
    assert client.try_login().status_code == 200


def test_faults_can_be_options(start_simulator: StartSimulator) -> None:
    """A simulator can start with faults."""
    simulator = start_simulator(faults=("login-500", "stream-404"))
    assert set(simulator.faults) == {Fault.LOGIN_500, Fault.STREAM_404}
    assert Client(simulator).try_login().status_code == 500


@pytest.mark.parametrize(
    "spec",
    [
        "gremlins",
        "stream-404:3",
        "stream-cut:soon",
        "",
        "poll-403:7",
        "poll-429:weather",
        "poll-429:maintenance:soon",
        "stream-404:maintenance",
    ],
)
def test_invalid_faults_are_rejected(spec: str) -> None:
    """An unknown fault, and one with a number it does not take, are configuration errors that name it."""
    with pytest.raises(ConfigError, match=f"fault '{spec}'"):
        Faults([spec])
