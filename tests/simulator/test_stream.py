"""A stream sends the events of its subscription at its interval, and ends when it has to."""

from __future__ import annotations

from itertools import islice

from tests.simulator.client import Client, read_events, read_frames
from tests.simulator.conftest import Clock, StartSimulator

PORT, LAG = "PF-AP-LAX1-2000001", "PF-AE-NYC1-2000004"


def test_a_stream_without_selectors(client: Client) -> None:
    """A subscription without selectors receives every event of every port and circuit in each sample."""
    with client.stream() as response:
        received = list(islice(read_events(response), 156))
    names = [name for name, _ in received]
    for sample in (names[:78], names[78:]):
        assert sample.count("port|metrics") == sample.count("port|errors") == 12
        assert sample.count("port|etherstats") == sample.count("port|optical") == 11
        assert sample.count("vc|metrics") == 32
    assert received[0][1]["timestamp"] == "2026-09-21T14:13:20+00:00"
    assert received[78][1]["timestamp"] == "2026-09-21T14:13:20.050+00:00"


def test_events_are_those_of_the_network(client: Client, clock: Clock) -> None:
    """The events of a sample are equal to those of the network at that time."""
    with client.stream() as response:
        assert list(islice(read_events(response), 78)) == list(
            client.simulator.network.measurements(clock.now)
        )


def test_a_filtered_stream(client: Client) -> None:
    """A subscription with selectors receives the selected events only; null is like an absent field."""
    stream = {"type": "port", "ifds": [LAG], "events": None}
    with client.stream(client.subscribe(stream)) as response:
        received = {(name, data["port_circuit_id"]) for name, data in islice(read_events(response), 6)}
    assert received == {("port|metrics", LAG), ("port|errors", LAG)}


def test_a_subscription_merges_its_streams(client: Client) -> None:
    """An event that several streams of a subscription select is sent once."""
    metrics = {"type": "port", "events": ["metrics"], "ifds": [PORT]}
    uuid = client.subscribe(metrics, {"type": "port", "ifds": [PORT]}, {"type": "customer"})
    with client.stream(uuid) as response:
        names = [name for name, _ in islice(read_events(response), 8)]
    assert names == ["port|metrics", "port|errors", "port|etherstats", "port|optical"] * 2


def test_logins_are_in_the_activity_log(client: Client) -> None:
    """A login to the simulator is sent to the open streams of the activity log."""
    with client.stream(client.subscribe({"type": "customer", "events": ["auth"]})) as response:
        assert client.simulator.wait(lambda: client.simulator.open_streams == 1)
        Client(client.simulator).log_in()
        name, data = next(read_events(response))
    assert (name, data["message"]) == ("customer|auth", "User demo logged in.")


def test_activity_follows_the_clock(client: Client, clock: Clock) -> None:
    """When the clock advances by an hour, the activity of that hour is sent."""
    with client.stream(client.subscribe({"type": "customer"})) as response:
        assert client.simulator.wait(lambda: client.simulator.open_streams == 1)
        before = clock.now
        clock.now += 3600
        expected = list(client.simulator.network.activity(clock.now, before))
        assert list(islice(read_events(response), len(expected))) == expected


def test_heartbeat_of_an_idle_stream(start_simulator: StartSimulator) -> None:
    """A stream without events sends a bare comment at the heartbeat interval."""
    simulator = start_simulator(heartbeat=0.05)
    client = Client(simulator)
    with client.stream(client.subscribe({"type": "customer", "events": ["document"]})) as response:
        assert list(islice(read_frames(response), 3)) == [b":"] * 3
    assert simulator.heartbeats_sent >= 3


def test_no_heartbeat_while_events_flow(start_simulator: StartSimulator) -> None:
    """A stream with events sends no heartbeat."""
    simulator = start_simulator(heartbeat=60.0)
    with Client(simulator).stream() as response:
        list(islice(read_events(response), 400))
    assert simulator.heartbeats_sent == 0


def test_max_connection(start_simulator: StartSimulator) -> None:
    """At its maximum age a stream ends in an orderly way; the subscription can be streamed again."""
    simulator = start_simulator(max_connection=1.0)
    client = Client(simulator)
    uuid = client.subscribe()
    for _ in range(2):
        with client.stream(uuid) as response:
            assert list(read_events(response))  # raises if the stream is broken off
    assert simulator.wait(lambda: simulator.open_streams == 0)
    assert simulator.streams == 2


def test_a_stream_ends_with_its_session(client: Client, clock: Clock) -> None:
    """A logout and an expiry end the streams of the session; other streams continue."""
    simulator = client.simulator
    with client.stream() as other:
        for end in ("logout", "expiry"):
            session = Client(simulator).log_in()
            with session.stream() as response:
                reader = read_events(response)
                assert next(reader)
                if end == "logout":
                    session.request("GET", "/v2/auth/logout")
                else:
                    clock.now += 31 * 86400
                list(reader)  # raises if the stream is broken off
            assert simulator.wait(lambda: simulator.open_streams == 1)
        assert next(read_events(other))


def test_two_connections_to_a_subscription(client: Client) -> None:
    """Two connections to one subscription both receive all events."""
    uuid = client.subscribe({"type": "port", "ifds": [PORT]})
    with client.stream(uuid) as first, client.stream(uuid) as second:
        # Keep both generators: requests closes the connection when one is garbage-collected.
        readers = [read_events(response) for response in (first, second)]
        for reader in readers:
            assert len({name for name, _ in islice(reader, 4)}) == 4
        assert client.simulator.open_streams == 2


def test_a_disconnect_closes_the_stream(client: Client) -> None:
    """The stream is closed when its reader disconnects."""
    with client.stream():
        assert client.simulator.wait(lambda: client.simulator.open_streams == 1)
    assert client.simulator.wait(lambda: client.simulator.open_streams == 0)


def test_a_blocked_reader_does_not_block_the_end(start_simulator: StartSimulator) -> None:
    """A stream can end while its reader does not read and all buffers are full."""
    simulator = start_simulator(ports=300, vcs=2000)
    with Client(simulator).stream():
        sent = 0
        while simulator.wait(lambda: simulator.events_sent > sent, timeout=0.5):  # noqa: B023 (called before sent changes)
            sent = simulator.events_sent
        assert simulator.open_streams == 1
        simulator.end_streams()
        assert simulator.wait(lambda: simulator.open_streams == 0)
