"""``pf-exporter tail`` as a user has it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from pf_exporter.config.accounts import Account, StreamFilter
from pf_exporter.config.secrets import Secret
from pf_exporter.packetfabric.client import Client
from pf_exporter.simulator import Options, Simulator
from tests.conftest import PATIENCE, Program, process_environment
from tests.fakes import HEARTBEAT, Answer, Fake, event

Start = Callable[..., Program]
STAMP = {"timestamp": "2021-09-22T20:34:30+00:00"}
METRICS = {**STAMP, "port_circuit_id": "PF-AP-LAX1-1", "bytes_rx_bps": 1_200_000_000, "packets_rx_total": 0}
ERRORS = {**STAMP, "port_circuit_id": "PF-AP-LAX1-2", "rx_runt": 12345}
VC = {
    **STAMP,
    "vc_circuit_id": "PF-BC-LAX-NYC-7-PF",
    "port_circuit_id": "PF-AP-LAX1-1",
    "vlan": 4,
    "packets_tx_pps": 42,
}
OPTICAL = {**STAMP, "port_circuit_id": "PF-AP-LAX1-1", "lane_0_rx_dbm": -3.5, "lane_0_rx_power": 0.45}


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as server:
        server.events += [
            event("port|metrics", METRICS),
            event("vc|metrics", VC),
            event("port|errors", ERRORS),
            event("port|optical", OPTICAL),
            event("customer|auth", {**STAMP, "log_level": "info", "message": "\x1b[2JAda logged in"}),
            event("port|weather", {"rain": 3}),
            b"event: port|metrics\ndata: {\n\n",
        ]
        server.lists["/v2/ports"] = [
            {"port_circuit_id": "PF-AP-LAX1-1-PF", "description": "Los Angeles core uplink"}
        ]
        yield server


def tail(program: Start, fake: Fake, *flags: str) -> list[str]:
    command = program("tail", *flags, env={"PF_HOST": fake.url, "PF_TOKEN": "key"})
    assert command.end() == 0, command.output
    # Lines of the log, about events that cannot be decoded, stand between those of the events.
    return [re.sub(r"^\d\d:\d\d:\d\d  ", "", line) for line in command.lines if not line.startswith("time=")]


def test_lines(program: Start, fake: Fake) -> None:
    """Each event is a line: name, circuit, values with units; without zeros and control characters."""
    lines = [
        " ".join(line.replace("Los Angeles core up…", "").split())
        for line in tail(program, fake, "--count=7")
    ]
    assert lines == [
        "port|metrics PF-AP-LAX1-1 bytes_rx_bps 1.2 Gbit/s",
        "vc|metrics PF-BC-LAX-NYC-7-PF&PF-AP-LAX1-1&4 packets_tx_pps 42 packets/s",
        "port|errors PF-AP-LAX1-2 rx_runt 12,345",
        "port|optical PF-AP-LAX1-1 lane_0_rx_dbm -3.50 dBm lane_0_rx_power 450 µW",
        "customer|auth info log_level=info message=[2JAda logged in",
        'port|weather unknown event {"rain": 3}',
        "port|metrics unusable the data of an event is not JSON: Expecting property name enclosed in double"
        " quotes: line 1 column 2 (char 1) {",
    ]


def test_names(program: Start, fake: Fake) -> None:
    """Once the inventory is polled, a line contains the circuit's description, and --circuit matches it."""
    events = [event("port|metrics", {**METRICS, "bytes_rx_bps": number}) for number in range(1, 4000)]
    fake.events = [piece for frame in events for piece in (frame, 0.01)]
    (line,) = tail(program, fake, "--circuit=Los*", "--count=1")
    assert "PF-AP-LAX1-1  " in line
    assert "  Los Angeles core up…  bytes" in line


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        (["--event=port|e*"], ["port|errors"]),
        (["--event=port|errors", "--event=vc|*"], ["vc|metrics", "port|errors"]),
        (["--circuit=PF-BC-*"], ["vc|metrics"]),
        (["--circuit=PF-BC-LAX-NYC-7"], ["vc|metrics"]),
        (["--field=rx_runt"], ["port|errors"]),
        (["--field=*_bps", "--field=lane_?_rx_dbm"], ["port|metrics", "port|optical"]),
    ],
)
def test_filters(program: Start, fake: Fake, flags: list[str], shown: list[str]) -> None:
    """Patterns select events, circuits and fields; IDs match with and without -PF."""
    lines = tail(program, fake, *flags, f"--count={len(shown)}")
    assert [line.split()[0] for line in lines] == shown


def test_zeros(program: Start, fake: Fake) -> None:
    """--zeros shows fields that are 0, too."""
    (line,) = tail(program, fake, "--zeros", "--count=1")
    assert "packets_rx_total 0" in line


def test_json(program: Start, fake: Fake) -> None:
    """--json prints one object per line, with the data as the API sent it."""
    lines = [json.loads(line) for line in tail(program, fake, "--json", "--count=7")]
    assert [line["event"] for line in lines[:3]] == ["port|metrics", "vc|metrics", "port|errors"]
    assert lines[1]["data"] == VC
    assert (lines[1]["vc_circuit_id"], lines[1]["account"]) == ("PF-BC-LAX-NYC-7-PF", "default")
    assert lines[6]["data"] == "{"


def test_json_fields(program: Start, fake: Fake) -> None:
    """With --field the data contains only these fields."""
    (line,) = tail(program, fake, "--json", "--field=rx_runt", "--count=1")
    assert json.loads(line)["data"] == {"rx_runt": 12345}


def test_raw(fake: Fake) -> None:
    """--raw prints what the server sent, byte for byte, heartbeats included."""
    command = [sys.executable, "-m", "pf_exporter", "tail", "--raw", "--count=7"]
    done = subprocess.run(
        command,
        env=process_environment(PF_HOST=fake.url, PF_TOKEN="key"),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    sent = HEARTBEAT + b"".join(piece for piece in fake.events if isinstance(piece, bytes))
    assert done.stdout.startswith(sent)


def test_duration_without_events(program: Start, fake: Fake) -> None:
    """If no event matches within --duration, the command prints one line and exits with 6."""
    fake.events.clear()
    command = program("tail", "--duration=1s", env={"PF_HOST": fake.url, "PF_TOKEN": "key"})
    assert command.end() == 6
    assert command.lines == ["pf-exporter: no event matched"]


def test_a_pattern_without_an_event(program: Start, fake: Fake) -> None:
    """A pattern that matches no event ends the command with exit code 2, before it connects."""
    flags = ("--event=port|metric", "--event=prt|*", "--event=port|m*", "--event=customer|*")
    command = program("tail", *flags, env={"PF_HOST": fake.url, "PF_TOKEN": "key"})
    assert command.end() == 2
    assert command.lines[0] == (
        "pf-exporter: --event 'port|metric' matches no event; did you mean 'port|metrics'?"
    )
    assert command.lines[1].startswith(
        "pf-exporter: --event 'prt|*' matches no event; events are port|metrics, "
    )
    assert len(command.lines) == 2
    assert fake.requests == []


def test_not_streaming(program: Start, fake: Fake) -> None:
    """Standard error shows why nothing arrives."""
    command = program("tail", env={"PF_HOST": fake.url, "PF_TOKEN": "wrong"})
    assert "who are you?" in command.wait_for("credentials not accepted")
    command.send_signal(signal.SIGINT)
    assert command.end() == 6


def test_ctrl_c(program: Start, fake: Fake) -> None:
    """Ctrl-C logs out and ends with exit code 0, without a traceback."""
    account = {"PF_HOST": fake.url, "PF_USER": "user", "PF_PASSWORD": "password"}
    command = program("tail", env=account)
    command.wait_for("port|weather")
    command.send_signal(signal.SIGINT)
    assert command.end() == 0
    assert "Traceback" not in command.output
    fake.wait_for(lambda: len(fake.of("logout")) == 1)


def test_closed_pipe(fake: Fake) -> None:
    """When the reader of the pipe has gone the command ends with exit code 0, without a message."""
    command = f"{sys.executable} -m pf_exporter tail --json --event='port|*' | head -n 1"
    # Enough of them, because the reader may be slow to end.
    fake.events = [piece for frame in fake.events * 40 for piece in (frame, 0.2)]
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=process_environment(PF_HOST=fake.url, PF_TOKEN="key"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert json.loads(done.stdout)["event"] == "port|metrics"
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr
    assert done.returncode == 0


def test_a_blocked_pipe(fake: Fake, full_pipe: int) -> None:
    """SIGTERM ends the command even if its standard output is not read."""
    # The filter hides the first event, of which the log warns; the second one blocks.
    fake.events = [event("port|weather", {"rain": 3}), event("port|metrics", METRICS)]
    process = subprocess.Popen(
        [sys.executable, "-m", "pf_exporter", "tail", "--event=port|metrics"],
        env=process_environment(PF_HOST=fake.url, PF_TOKEN="key"),
        stdout=full_pipe,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process.stderr as stderr:
        try:
            assert any("event of unknown name" in line for line in stderr)
            process.send_signal(signal.SIGTERM)
            # 6 if the signal was faster than the second event.
            assert process.wait(PATIENCE) in (0, 6)
        finally:
            process.kill()
            process.wait()


def test_an_existing_subscription(program: Start) -> None:
    """An existing subscription is streamed with its token, and no other is created."""
    with Simulator(Options(listen_address="127.0.0.1:0", interval=0.2)) as simulator:
        account = Account(
            api_url=simulator.url, login=Secret(simulator.login), password=Secret(simulator.password)
        )
        client = Client(account, idle_timeout=5)
        session = client.login()
        subscription = client.subscribe(session, [StreamFilter("vc")])
        env = {"PF_HOST": simulator.url, "PF_TOKEN": session.token.reveal()}
        command = program("tail", "--count=5", f"--subscription-uuid={subscription}", env=env)
        assert command.end() == 0, command.output
        assert {line.split()[1] for line in command.lines} == {"vc|metrics"}
        client.logout(session)


def test_a_subscription_that_is_gone(program: Start, fake: Fake) -> None:
    """An existing subscription that has expired is exit code 5, with what to do."""
    fake.script["open"] = [Answer(404)]
    uuid = "11111111-2222-3333-4444-555555555555"
    command = program("tail", f"--subscription-uuid={uuid}", env={"PF_HOST": fake.url, "PF_TOKEN": "key"})
    assert command.end() == 5
    assert command.lines[-1] == (
        f"pf-exporter: stream: {fake.url.removeprefix('http://')}: HTTP 404;"
        " the subscription does not exist any more; make another, and stream it within five minutes"
    )
