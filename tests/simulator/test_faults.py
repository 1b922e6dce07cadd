"""Each fault does what its sentence says, from the moment it is switched on until it is switched off."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice

import pytest
import requests

from pf_exporter.errors import ConfigError
from pf_exporter.simulator import FAULTS, Options, Simulator
from pf_exporter.simulator.faults import Faults
from tests.simulator.client import Client, events, frames
from tests.simulator.conftest import Clock


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def shared(clock: Clock) -> Iterator[Simulator]:
    """One for all; who switches a fault on has it switched off afterwards."""
    with Simulator(Options(interval=0.05, heartbeat=0.1, listen_address="127.0.0.1:0"), clock) as simulator:
        yield simulator


@pytest.fixture
def client(shared: Simulator) -> Iterator[Client]:
    yield Client(shared)
    for fault in shared.faults:
        shared.faults.discard(fault)


Check = Callable[[Client, Clock], None]
CHECKS: dict[str, Check] = {}


def check(fault: str) -> Callable[[Check], Check]:
    """Registers what must be true while ``fault`` is on."""

    def register(function: Check) -> Check:
        CHECKS[fault] = function
        return function

    return register


def opened(client: Client) -> requests.Response:
    """The answer to opening a stream, with its body read."""
    with client.stream() as response:
        assert response.content is not None
        return response


def stamps(client: Client, count: int) -> list[str]:
    port = client.simulator.network.ports[0].circuit_id
    stream = {"type": "port", "events": ["metrics"], "ifds": [port]}
    with client.stream(client.subscribe(stream)) as response:
        return [data["timestamp"] for _, data in islice(events(response), count)]


@check("login-401")
def _(client: Client, clock: Clock) -> None:
    assert client.try_login().status_code == 401


@check("login-429:7")
def _(client: Client, clock: Clock) -> None:
    answer = client.try_login()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


@check("login-500")
def _(client: Client, clock: Clock) -> None:
    answer = client.try_login()
    assert (answer.status_code, answer.headers["content-type"]) == (500, "text/plain; charset=utf-8")


@check("login-mfa")
def _(client: Client, clock: Clock) -> None:
    assert client.try_login().json()["mfa_required"] is True
    assert client.log_in().ask("GET", "/v2/ports").status_code == 401


@check("login-eula")
def _(client: Client, clock: Clock) -> None:
    assert client.try_login().json()["should_sign_eula"] is True
    assert client.log_in().ask("GET", "/v2/ports").status_code == 401


@check("single-session")
def _(client: Client, clock: Clock) -> None:
    first = Client(client.simulator).log_in()
    assert client.log_in().ask("GET", "/v2/ports").status_code == 200
    assert first.ask("GET", "/v2/ports").status_code == 401


@check("subscribe-403")
def _(client: Client, clock: Clock) -> None:
    assert client.ask("POST", "/v2/events", {"streams": []}).status_code == 403


@check("subscribe-500")
def _(client: Client, clock: Clock) -> None:
    assert client.ask("POST", "/v2/events", {"streams": []}).status_code == 500


@check("subscribe-empty")
def _(client: Client, clock: Clock) -> None:
    answer = client.ask("POST", "/v2/events", {"streams": []})
    assert (answer.status_code, answer.json()) == (201, {})


@check("inventory-500")
def _(client: Client, clock: Clock) -> None:
    for path in ("/v2/ports", "/v2/services"):
        assert client.ask("GET", path).status_code == 500


@check("paging-ignored")
def _(client: Client, clock: Clock) -> None:
    assert len(client.ask("GET", "/v2/ports", page_size=5, offset=5).json()) == 12


@check("stream-204")
def _(client: Client, clock: Clock) -> None:
    answer = opened(client)
    assert (answer.status_code, answer.content) == (204, b"")


@check("stream-401:60")
def _(client: Client, clock: Clock) -> None:
    client.log_in()
    with client.stream() as response:
        assert response.status_code == 200
    clock.now += 60
    assert opened(client).status_code == 401
    assert client.ask("GET", "/v2/ports").status_code == 200


@check("stream-404")
def _(client: Client, clock: Clock) -> None:
    assert opened(client).status_code == 404


@check("stream-500")
def _(client: Client, clock: Clock) -> None:
    assert opened(client).status_code == 500


@check("stream-html")
def _(client: Client, clock: Clock) -> None:
    answer = opened(client)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


@check("stream-cut:3")
def _(client: Client, clock: Clock) -> None:
    got: list[bytes] = []
    with client.stream() as response, pytest.raises(requests.exceptions.ChunkedEncodingError):
        got.extend(response.iter_content(None))
    *complete, broken = b"".join(got).split(b"\n\n")
    assert len(complete) == 3
    assert broken.startswith(b"event: ")


@check("stream-silence:5")
def _(client: Client, clock: Clock) -> None:
    simulator = client.simulator
    with client.stream() as response:
        reader = frames(response)
        assert len(list(islice(reader, 5))) == 5
        sent = simulator.events_sent
        # Another stream, with no events to fall silent after, beats the time.
        with client.stream(client.subscribe({"type": "customer", "events": ["document"]})) as other:
            assert list(islice(frames(other), 3)) == [b":"] * 3
        assert simulator.events_sent == sent
        simulator.faults.discard("stream-silence")
        assert next(reader).startswith(b"event: "), "no heartbeat came meanwhile"


@check("stream-slow:0.01")
def _(client: Client, clock: Clock) -> None:
    with client.stream() as response:
        chunks = list(islice(response.iter_content(None), 10))
    assert all(chunk.count(b"\n\n") <= 2 for chunk in chunks)


@check("stream-garbage")
def _(client: Client, clock: Clock) -> None:
    with client.stream() as response:
        got = list(islice(frames(response), 60))
    broken = 0
    for frame in got:
        try:
            json.loads(frame.partition(b"data: ")[2])
        except ValueError:
            broken += 1
    assert broken >= 4
    assert any(b"NaN" in frame for frame in got)
    assert any(frame.startswith(b"event: port|weather") for frame in got)


@check("duplicate-events")
def _(client: Client, clock: Clock) -> None:
    with client.stream() as response:
        got = list(islice(events(response), 20))
    assert got[::2] == got[1::2]


@check("out-of-order")
def _(client: Client, clock: Clock) -> None:
    got = stamps(client, 6)
    assert got[0] > got[1]
    assert got[0] == got[3]
    assert got[2] > got[3]


@check("no-second-connection")
def _(client: Client, clock: Clock) -> None:
    uuid = client.subscribe()
    with client.stream(uuid) as first:
        reader = events(first)
        assert next(reader)
        with client.stream(uuid) as second:
            assert second.status_code == 409


@check("kick-first")
def _(client: Client, clock: Clock) -> None:
    uuid = client.subscribe()
    with client.stream(uuid) as first:
        reader = events(first)
        assert next(reader)
        with client.stream(uuid) as second:
            assert next(events(second))
            assert list(reader), "an orderly end, after what was on its way"


def plain(fault: str) -> str:
    return fault.partition(":")[0]


def test_every_fault_is_tried() -> None:
    """The table of faults and the checks below have the same names, and every fault explains itself."""
    assert {plain(fault) for fault in CHECKS} == set(FAULTS)
    assert all(sentence.endswith(".") for sentence in FAULTS.values())


@pytest.mark.parametrize("fault", CHECKS)
def test_a_fault_does_what_it_says(client: Client, clock: Clock, fault: str) -> None:
    """Switched on in a running simulator, the fault shows."""
    client.simulator.faults.add(fault)
    assert plain(fault) in client.simulator.faults
    CHECKS[fault](client, clock)


def test_faults_can_be_switched_off(client: Client) -> None:
    """When a fault is discarded all is well again."""
    client.simulator.faults.add("login-401")
    assert client.try_login().status_code == 401
    client.simulator.faults.discard("login-401")
    assert client.try_login().status_code == 200


def test_faults_can_be_options(simulate: Callable[..., Simulator]) -> None:
    """A simulator may be born with faults."""
    simulator = simulate(faults=("login-500", "stream-404"))
    assert sorted(simulator.faults) == ["login-500", "stream-404"]
    assert Client(simulator).try_login().status_code == 500


@pytest.mark.parametrize("fault", ["gremlins", "stream-404:3", "stream-cut:soon", ""])
def test_unknown_faults_are_named(fault: str) -> None:
    """What is not in the table, or has a number it should not have, is refused in words."""
    with pytest.raises(ConfigError, match="fault '"):
        Faults([fault])
