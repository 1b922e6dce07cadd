"""A stream sends what was asked for, keeps its pace, and ends when it should."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import pytest

from pf_exporter.simulator import Simulator
from tests.simulator.client import Client, events, frames
from tests.simulator.conftest import Clock

PORT, LAG = "PF-AP-LAX1-2000001", "PF-AE-NYC1-2000004"


def test_everything_is_streamed(client: Client) -> None:
    """A bundle without selectors gets each event of each port and circuit, sample after sample."""
    with client.stream() as response:
        got = list(islice(events(response), 156))
    names = [name for name, _ in got]
    for sample in (names[:78], names[78:]):
        assert sample.count("port|metrics") == sample.count("port|errors") == 12
        assert sample.count("port|etherstats") == sample.count("port|optical") == 11
        assert sample.count("vc|metrics") == 32
    assert got[0][1]["timestamp"] == "2026-09-21T14:13:20+00:00"
    assert got[78][1]["timestamp"] == "2026-09-21T14:13:20.050+00:00"


def test_streams_are_the_network(client: Client, clock: Clock) -> None:
    """What is streamed is, to the last digit, what the network says about that instant."""
    with client.stream() as response:
        assert list(islice(events(response), 78)) == list(client.simulator.network.measurements(clock.now))


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ({"type": "port", "events": ["metrics"], "ifds": [PORT]}, {("port|metrics", PORT)}),
        ({"type": "port", "ifds": [LAG], "events": None}, {("port|metrics", LAG), ("port|errors", LAG)}),
        ({"type": "port", "ifds": [PORT, "PF-AP-NO-1"], "events": ["optical"]}, {("port|optical", PORT)}),
    ],
)
def test_a_port_stream_keeps_to_its_filters(
    client: Client, stream: object, expected: set[tuple[str, str]]
) -> None:
    """``ifds`` and ``events`` choose what comes; null is as good as nothing."""
    with client.stream(client.subscribe(stream)) as response:
        got = islice(events(response), 6)
        assert {(name, data["port_circuit_id"]) for name, data in got} == expected


def test_a_circuit_stream_keeps_to_its_ends(client: Client) -> None:
    """``vcs`` names single ends, as circuit and port joined by an ampersand."""
    circuit = client.simulator.network.circuits[0]
    end = f"{circuit.circuit_id}&{circuit.z.port.circuit_id}"
    with client.stream(client.subscribe({"type": "vc", "vcs": [end]})) as response:
        got = list(islice(events(response), 3))
    assert {f"{data['vc_circuit_id']}&{data['port_circuit_id']}" for _, data in got} == {end}
    assert {data["vlan"] for _, data in got} == {str(circuit.z.vlan)}


def test_several_streams_make_one_bundle(client: Client) -> None:
    """Streams of one bundle are united, and an event that two of them want comes once."""
    metrics = {"type": "port", "events": ["metrics"], "ifds": [PORT]}
    both = client.subscribe(metrics, {"type": "port", "ifds": [PORT]}, {"type": "customer"})
    with client.stream(both) as response:
        names = [name for name, _ in islice(events(response), 8)]
    assert names == ["port|metrics", "port|errors", "port|etherstats", "port|optical"] * 2


def test_real_logins_are_told(client: Client) -> None:
    """Who logs in to the simulator appears in the activity log of open streams, and only there."""
    with client.stream(client.subscribe({"type": "customer", "events": ["auth"]})) as response:
        assert client.simulator.wait(lambda: client.simulator.open_streams == 1)
        Client(client.simulator).log_in()
        name, data = next(events(response))
    assert (name, data["message"]) == ("customer|auth", "User demo logged in.")


def test_people_are_streamed_as_time_goes_by(client: Client, clock: Clock) -> None:
    """When the clock moves on an hour, what people did in that hour is streamed."""
    with client.stream(client.subscribe({"type": "customer"})) as response:
        assert client.simulator.wait(lambda: client.simulator.open_streams == 1)
        before = clock.now
        clock.now += 3600
        expected = list(client.simulator.network.activity(clock.now, before))
        assert list(islice(events(response), len(expected))) == expected


def test_a_silent_stream_beats(simulate: Callable[..., Simulator]) -> None:
    """When there is nothing to say, a bare comment is sent now and then."""
    simulator = simulate(heartbeat=0.05)
    client = Client(simulator)
    with client.stream(client.subscribe({"type": "customer", "events": ["document"]})) as response:
        assert list(islice(frames(response), 3)) == [b":"] * 3
    assert simulator.heartbeats_sent >= 3


def test_a_busy_stream_does_not_beat(simulate: Callable[..., Simulator]) -> None:
    """While events flow there is no heartbeat."""
    simulator = simulate(heartbeat=5.0)
    with Client(simulator).stream() as response:
        list(islice(events(response), 400))
    assert simulator.heartbeats_sent == 0


def test_a_connection_has_its_time(simulate: Callable[..., Simulator]) -> None:
    """After the longest time allowed the stream ends in good order; the bundle can be streamed again."""
    simulator = simulate(max_connection=0.2)
    client = Client(simulator)
    uuid = client.subscribe()
    for _ in range(2):
        with client.stream(uuid) as response:
            assert len(list(events(response))) >= 78  # a broken end would raise
    assert simulator.wait(lambda: simulator.open_streams == 0)
    assert simulator.streams == 2


def test_a_stream_ends_with_its_session(client: Client, clock: Clock) -> None:
    """Logging out ends the session's stream at once, expiry a moment later; other streams go on."""
    by_key, simulator = client, client.simulator
    with by_key.stream() as other:
        for end in ("logout", "expiry"):
            session = Client(simulator).log_in()
            with session.stream() as response:
                reader = events(response)
                assert next(reader)
                if end == "logout":
                    session.ask("GET", "/v2/auth/logout")
                else:
                    clock.now += 31 * 86400
                list(reader)  # a broken end would raise
            assert simulator.wait(lambda: simulator.open_streams == 1)
        assert next(events(other))


def test_a_bundle_may_be_streamed_twice(client: Client) -> None:
    """Two connections to one bundle both get everything."""
    uuid = client.subscribe({"type": "port", "ifds": [PORT]})
    with client.stream(uuid) as one, client.stream(uuid) as other:
        # Kept by name: a reader that is thrown away hangs up.
        readers = [events(response) for response in (one, other)]
        for reader in readers:
            assert len({name for name, _ in islice(reader, 4)}) == 4
        assert client.simulator.open_streams == 2


def test_a_reader_that_leaves_is_noticed(client: Client) -> None:
    """When the reader hangs up, the stream is closed."""
    with client.stream():
        assert client.simulator.wait(lambda: client.simulator.open_streams == 1)
    assert client.simulator.wait(lambda: client.simulator.open_streams == 0)


def test_a_reader_that_does_not_read_is_left(simulate: Callable[..., Simulator]) -> None:
    """A stream that is to end does so although its reader has stopped reading and every buffer is full."""
    simulator = simulate(ports=300, vcs=2000)
    with Client(simulator).stream():
        sent = 0
        while simulator.wait(lambda: simulator.events_sent > sent, timeout=0.5):  # noqa: B023 (asked at once)
            sent = simulator.events_sent
        assert simulator.open_streams == 1
        simulator.end_streams()
        assert simulator.wait(lambda: simulator.open_streams == 0, timeout=2)
