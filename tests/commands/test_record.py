"""``pf-exporter record`` and ``replay`` as a user has them."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pf_exporter.recording.reader import read
from pf_exporter.simulator import Options, Simulator
from tests.conftest import FIXTURES, Program, get, until
from tests.fakes import HEARTBEAT, Fake, event

Start = Callable[..., Program]
STAMP = "2021-09-22T20:34:30+00:00"
METRICS = {"timestamp": STAMP, "port_circuit_id": "PF-AP-LAX1-1234", "bytes_rx_total": 987654}
LOGIN = {
    "timestamp": STAMP,
    "user": "ada",
    "ip_address": "192.0.2.7",
    "message": "User ada logged in.",
    "log_level": "info",
}


def numbers(url: str) -> list[str]:
    """What is said of ports and circuits, without their ids: in both recordings they differ."""
    page = get(url)[2].decode()
    lines = [line for line in page.splitlines() if re.match(r"packetfabric_(port|vc)_\w+\{", line)]
    return sorted(re.sub(r"\{.*\}", "", line) for line in lines if "last_event" not in line)


def served(one: Program) -> str:
    line = one.wait_for("msg=listening")
    return "http://" + line.partition("addresses=")[2].split()[0] + "/metrics"


def test_record_and_replay(program: Start, tmp_path: Path) -> None:
    """Recorded from a simulated PacketFabric, redacted, and replayed: the same numbers on /metrics."""
    file = tmp_path / "streams.gz"
    with Simulator(Options(listen_address="127.0.0.1:0", interval=0.2)) as simulator:
        env = {"PF_HOST": simulator.url, "PF_TOKEN": simulator.api_key}
        listen = "--web.listen-address=127.0.0.1:0"
        one = program(listen, f"--stream.record={file}", "--series.ttl=1h", env=env)
        url = served(one)
        until(lambda: len(numbers(url)) > 500, "the network")
        one.process.send_signal(signal.SIGTERM)
        assert one.end() == 0
    other = program("replay", str(file), listen, "--speed=0")
    other.wait_for("end of the recording")
    shown = numbers(served(other))
    assert len(shown) > 500
    page = get(served(other))[2].decode()
    assert 'account="account-1"' in page
    assert "PF-AP-LAX1-2000001" not in page
    other.process.send_signal(signal.SIGTERM)
    assert other.end() == 0


def test_the_command(program: Start, tmp_path: Path) -> None:
    """`record` writes until Ctrl-C, says what it wrote, and nothing of the originals is in the file."""
    file = tmp_path / "streams.gz"
    with Fake() as fake:
        fake.events += [event("port|metrics", METRICS), event("customer|auth", LOGIN)]
        one = program("record", str(file), env={"PF_HOST": fake.url, "PF_TOKEN": "key"})
        one.wait_for("msg=activity")
        one.process.send_signal(signal.SIGINT)
        assert one.end() == 0
    assert one.lines[-1].startswith(f"2 events recorded; {file} has ")
    assert one.lines[-1].endswith("bytes, redacted")
    text = b"".join(entry.frame for entry in read(str(file))).decode()
    assert "987654" in text
    assert STAMP in text
    assert [word for word in ("LAX1", "1234", "ada", "192.0.2.7", "logged") if word in text] == []
    assert file.stat().st_mode & 0o777 == 0o600


def test_as_received(program: Start, tmp_path: Path) -> None:
    """With --no-redact the frames are what the server sent, byte for byte, heartbeats included."""
    file = tmp_path / "streams.gz"
    with Fake() as fake:
        fake.events += [event("port|metrics", METRICS), event("customer|auth", LOGIN)]
        one = program("record", str(file), "--no-redact", env={"PF_HOST": fake.url, "PF_TOKEN": "key"})
        one.wait_for("msg=activity")
        one.process.send_signal(signal.SIGINT)
        assert one.end() == 0
    sent = HEARTBEAT + b"".join(piece for piece in fake.events if isinstance(piece, bytes))
    assert b"".join(entry.frame for entry in read(str(file))).startswith(sent)
    shown = subprocess.run(["zcat", str(file)], capture_output=True, check=True, text=True).stdout
    assert [json.loads(line).get("mark") for line in shown.splitlines()][1] == "opened"


def test_a_kill(program: Start, tmp_path: Path) -> None:
    """After kill -9 every frame that had come is in the file; the next recording goes on in it."""
    file = tmp_path / "streams.gz"
    for round_ in (1, 2):
        with Fake() as fake:
            fake.events += [
                event("port|metrics", {**METRICS, "bytes_rx_total": 1000 * round_ + n}) for n in range(100)
            ]
            fake.events.append(event("customer|auth", LOGIN))
            account = {"PF_HOST": fake.url, "PF_TOKEN": "key"}
            one = program("record", str(file), "--no-redact", env=account)
            one.wait_for("msg=activity")
            one.process.kill()
            one.end()
        text = b"".join(entry.frame for entry in read(str(file))).decode()
        assert [int(n) for n in re.findall(r'"bytes_rx_total": (\d+)', text)] == [
            1000 * r + n for r in range(1, round_ + 1) for n in range(100)
        ]


def test_nothing_came(program: Start, tmp_path: Path) -> None:
    """Where nothing came until --duration was over: exit code 6."""
    with Fake() as fake:
        env = {"PF_HOST": fake.url, "PF_TOKEN": "key"}
        one = program("record", str(tmp_path / "streams.gz"), "--duration=1s", env=env)
        assert one.end() == 6
    assert one.lines[-1].startswith("0 events recorded; ")


@pytest.mark.parametrize("command", ["record", "replay"])
def test_what_is_no_recording(program: Start, tmp_path: Path, command: str) -> None:
    """A file that is something else is left as it is: exit code 2, and one line."""
    file = tmp_path / "notes.txt"
    file.write_text("not to be lost")
    one = program(command, str(file), env={"PF_TOKEN": "x"})
    assert one.end() == 2
    assert len(one.lines) == 1
    assert str(file) in one.output
    assert file.read_text() == "not to be lost"


def test_replay_of_the_fixture(program: Start) -> None:
    """The recording in the fixtures is served by a process as by any other exporter, without an account."""
    listen = "--web.listen-address=127.0.0.1:0"
    one = program("replay", str(FIXTURES / "recording.gz"), "--speed=0", "--loop", listen)
    url = served(one)
    until(lambda: b'packetfabric_up{account="account-1"} 1.0' in get(url)[2], "a stream")
    one.process.send_signal(signal.SIGINT)
    assert one.end() == 0


@pytest.mark.parametrize("speed", ["-1", "nan", "fast", "inf"])
def test_bad_speed(speed: str) -> None:
    """A speed that is none is refused in one line."""
    command = [sys.executable, "-m", "pf_exporter", "replay", "x", "--speed", speed]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 2
    assert "expected a number, such as 60" in done.stderr
