"""``pf-exporter replay`` as a user has it."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path

from pf_exporter.simulator import Options, Simulator
from tests.conftest import FIXTURES, Program, get, until

Start = Callable[..., Program]
LISTEN = "--web.listen-address=127.0.0.1:0"


def metrics_url(exporter: Program) -> str:
    """The address of /metrics, from the log."""
    line = exporter.wait_for("msg=listening")
    return "http://" + line.partition("addresses=")[2].split()[0] + "/metrics"


def samples(url: str) -> list[str]:
    """The samples of ports and circuits without their labels, which a redacted recording changes."""
    page = get(url)[2].decode()
    lines = [line for line in page.splitlines() if re.match(r"packetfabric_(port|vc)_\w+\{", line)]
    return sorted(re.sub(r"\{.*\}", "", line) for line in lines if "last_event" not in line)


def test_record_and_replay(program: Start, tmp_path: Path) -> None:
    """A redacted recording of the exporter replays as ports and circuits on /metrics, under pseudonyms."""
    file = tmp_path / "streams.gz"
    with Simulator(Options(listen_address="127.0.0.1:0", interval=0.2)) as simulator:
        env = {"PF_HOST": simulator.url, "PF_TOKEN": simulator.api_key}
        exporter = program(LISTEN, f"--record.file={file}", "--series.ttl=1h", env=env)
        url = metrics_url(exporter)
        until(lambda: len(samples(url)) > 500, "the network")
        exporter.send_signal(signal.SIGTERM)
        assert exporter.end() == 0
    replay = program("replay", str(file), LISTEN, "--speed=0")
    replay.wait_for("end of the recording")
    url = metrics_url(replay)
    assert len(samples(url)) > 500
    page = get(url)[2].decode()
    assert 'account="account-1"' in page
    assert "PF-AP-LAX1-2000001" not in page
    replay.send_signal(signal.SIGTERM)
    assert replay.end() == 0


def test_replay_in_a_loop(program: Start) -> None:
    """A recording is served like an account, over and over, without credentials."""
    replay = program("replay", str(FIXTURES / "recording.gz"), "--speed=0", "--loop", LISTEN)
    url = metrics_url(replay)
    until(lambda: b'packetfabric_up{account="account-1"} 1.0' in get(url)[2], "a stream")
    replay.send_signal(signal.SIGINT)
    assert replay.end() == 0


def test_a_file_that_is_no_recording(program: Start, tmp_path: Path) -> None:
    """Another file is exit code 2, and one line."""
    file = tmp_path / "notes.txt"
    file.write_text("not to be lost")
    replay = program("replay", str(file), env={"PF_TOKEN": "x"})
    assert replay.end() == 2
    assert len(replay.lines) == 1
    assert str(file) in replay.output
    assert file.read_text() == "not to be lost"
