"""``pf-exporter record`` as a user has it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from pf_exporter.recording import read
from tests.conftest import Program
from tests.fakes import HEARTBEAT, Fake, event

Start = Callable[..., Program]
STAMP = "2021-09-22T20:34:30+00:00"
METRICS = {"timestamp": STAMP, "port_circuit_id": "PF-AP-LAX1-1234", "bytes_rx_total": 987654}
LOGIN = {
    "timestamp": STAMP,
    "user": "Lovelace",
    "ip_address": "192.0.2.7",
    "message": "User Lovelace logged in.",
    "log_level": "info",
}
# None of these can be part of a random pseudonym, as a word of hexadecimal digits could be.
PERSONAL = ("Lovelace", "192.0.2.7", "logged")


def record(program: Start, fake: Fake, file: Path, *flags: str) -> Program:
    """Start to record the fake's events, of which the last is a login, and wait until that has arrived."""
    fake.events.append(event("customer|auth", LOGIN))
    command = program("record", str(file), *flags, env={"PF_HOST": fake.url, "PF_TOKEN": "key"})
    command.wait_for("msg=activity")
    return command


def frames(file: Path) -> bytes:
    """All frames of a recording."""
    return b"".join(item.frame for item in read(str(file)))


def test_a_redacted_recording(program: Start, tmp_path: Path) -> None:
    """`record` stops at Ctrl-C and reports the size; the file holds measurements and no identifiers."""
    file = tmp_path / "streams.gz"
    with Fake() as fake:
        fake.events.append(event("port|metrics", METRICS))
        command = record(program, fake, file)
        command.send_signal(signal.SIGINT)
        assert command.end() == 0
    assert command.lines[-1].startswith(f"2 events recorded; {file} has ")
    assert command.lines[-1].endswith("bytes, redacted")
    text = frames(file).decode()
    assert "987654" in text
    assert STAMP in text
    assert [word for word in ("PF-AP-LAX1-1234", *PERSONAL) if word in text] == []
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_recording_as_received(program: Start, tmp_path: Path) -> None:
    """With --no-record.redact the frames are what the server sent, byte for byte, heartbeats included."""
    file = tmp_path / "streams.gz"
    with Fake() as fake:
        fake.events.append(event("port|metrics", METRICS))
        command = record(program, fake, file, "--no-record.redact")
        command.send_signal(signal.SIGINT)
        assert command.end() == 0
    sent = HEARTBEAT + b"".join(piece for piece in fake.events if isinstance(piece, bytes))
    assert frames(file).startswith(sent)
    text = subprocess.run(["zcat", str(file)], capture_output=True, check=True, text=True).stdout
    assert [json.loads(line).get("mark") for line in text.splitlines()][1] == "opened"


def test_former_flag(program: Start, tmp_path: Path) -> None:
    """`--no-redact` still works, with one line that names its successor."""
    file = tmp_path / "streams.gz"
    with Fake() as fake:
        command = record(program, fake, file, "--no-redact")
        command.send_signal(signal.SIGINT)
        assert command.end() == 0
    (warning,) = (line for line in command.lines if "deprecated" in line)
    assert "--no-redact: deprecated; use --no-record.redact" in warning
    assert b"Lovelace" in frames(file)


def test_redaction_set_by_the_file(program: Start, tmp_path: Path) -> None:
    """`record` follows record.redact of the configuration, and its last line reports it."""
    file, config = tmp_path / "streams.gz", tmp_path / "pf.yml"
    config.write_text("record: {redact: false}\n")
    with Fake() as fake:
        command = record(program, fake, file, f"--config.file={config}")
        command.send_signal(signal.SIGINT)
        assert command.end() == 0
    assert command.lines[-1].endswith("as received: it contains names, addresses and messages")
    assert b"Lovelace" in frames(file)


def test_a_killed_recording_is_continued(program: Start, tmp_path: Path) -> None:
    """After kill -9 the recording holds every frame that had arrived; the next one continues it."""
    file = tmp_path / "streams.gz"
    for run in (1, 2):
        with Fake() as fake:
            fake.events += [
                event("port|metrics", {**METRICS, "bytes_rx_total": 1000 * run + number})
                for number in range(100)
            ]
            command = record(program, fake, file, "--no-record.redact")
            command.process.kill()
            command.end()
        totals = [int(total) for total in re.findall(rb'"bytes_rx_total": (\d+)', frames(file))]
        assert totals == [1000 * each + number for each in range(1, run + 1) for number in range(100)]


def test_no_event(program: Start, tmp_path: Path) -> None:
    """If no event arrives within --duration the exit code is 6."""
    with Fake() as fake:
        env = {"PF_HOST": fake.url, "PF_TOKEN": "key"}
        command = program("record", str(tmp_path / "streams.gz"), "--duration=1s", env=env)
        assert command.end() == 6
    assert command.lines[-1].startswith("0 events recorded; ")


def test_a_file_that_is_no_recording(program: Start, tmp_path: Path) -> None:
    """Another file is left unchanged: exit code 2, and one line."""
    file = tmp_path / "notes.txt"
    file.write_text("not to be lost")
    command = program("record", str(file), env={"PF_TOKEN": "x"})
    assert command.end() == 2
    assert len(command.lines) == 1
    assert str(file) in command.output
    assert file.read_text() == "not to be lost"
