"""The command line as a user has it: a process, its output, its exit code."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pf_exporter import __version__
from pf_exporter.cli import parser
from pf_exporter.config.settings import SETTINGS
from pf_exporter.simulator import FAULTS
from tests.conftest import Program, get, until

Start = Callable[..., Program]


def test_version(program: Start) -> None:
    """--version says which one, and nothing else."""
    one = program("--version")
    assert one.end() == 0
    assert one.output.startswith(f"pf_exporter {__version__} (Python 3.")


def test_version_of_an_image(program: Start) -> None:
    """In an image --version also says which commit it was built from."""
    one = program("--version", env={"PF_EXPORTER_REVISION": "abcdef"})
    assert one.end() == 0
    assert one.output.startswith(f"pf_exporter {__version__} (revision abcdef, Python 3.")


def test_help_is_complete_and_fits_a_terminal() -> None:
    """--help names every setting, every command and the exit codes, in lines of at most 100 characters."""
    text = parser().format_help()
    assert [row.flag for row in SETTINGS if row.flag not in text] == []
    for word in ("demo", "simulate", "exit codes", "PF_TOKEN", "--config.check"):
        assert word in text
    assert max(map(len, text.splitlines())) <= 100


def test_help_of_the_simulator_lists_every_fault(program: Start) -> None:
    """`simulate --help` says what each --fault does."""
    one = program("simulate", "--help")
    assert one.end() == 0
    assert [fault for fault in FAULTS if fault not in one.output] == []


def test_no_account_is_said_at_once(program: Start) -> None:
    """Without an account it ends with code 2 and one line that names the ways to give one."""
    one = program("--web.listen-address=127.0.0.1:0")
    assert one.end() == 2
    assert "PF_TOKEN" in one.output
    assert "--config.file" in one.output
    assert "Traceback" not in one.output


def test_every_problem_is_said_at_once(program: Start, tmp_path: Path) -> None:
    """A file with three mistakes gives three lines, and exit code 2."""
    path = tmp_path / "pf.yml"
    path.write_text("accounts: [{token: x, tokn: y}]\nseries: {ttl: soon}\nbackof: {}\n")
    path.chmod(0o600)
    one = program("--config.check", f"--config.file={path}")
    assert one.end() == 2
    assert len(one.lines) == 3
    assert all(line.startswith("pf-exporter: ") for line in one.lines)


def test_config_check_says_what_would_run(program: Start) -> None:
    """A good configuration is called good, its accounts are named, and nothing is started."""
    one = program("--config.check", env={"PF_TOKEN": "secret-canary"})
    assert one.end() == 0
    assert "The configuration is good. Accounts: default." in one.output
    assert "canary" not in one.output


def test_a_port_that_is_taken(program: Start) -> None:
    """A listen address that cannot be had is a line and exit code 8, before anything connects."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        one = program(f"--web.listen-address={address}", env={"PF_TOKEN": "x"})
        assert one.end() == 8
    assert one.lines[-1] == (
        f"pf-exporter: cannot listen on '{address}': Address already in use; choose another address"
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_demo_serves_and_stops(program: Start, number: signal.Signals) -> None:
    """`demo` says where to look, shows ports and circuits there, and ends with code 0 in two seconds."""
    one = program("demo", "--listen-address=127.0.0.1:0", "--interval=200ms")
    one.wait_for("A simulated PacketFabric answers on http://127.0.0.1:")
    line = one.wait_for("msg=listening")
    match = re.search(r"addresses=(\S+)", line)
    assert match is not None
    url = f"http://{match[1]}/metrics"
    one.wait_for("msg=streaming")
    wanted = (b"packetfabric_port_receive_bytes_total{", b"packetfabric_vc_receive_bytes_total{")
    until(lambda: all(name in get(url)[2] for name in wanted), "ports and circuits on /metrics")
    assert b'packetfabric_up{account="demo"} 1.0' in get(url)[2]
    began = time.monotonic()
    one.process.send_signal(number)
    assert one.end() == 0
    assert time.monotonic() - began < 2
    assert "Traceback" not in one.output


def test_exporter_on_a_simulator(program: Start) -> None:
    """Two processes as in life: the exporter streams from the simulator by API key, then by password."""
    simulator = program("simulate", "--listen-address=127.0.0.1:0", "--interval=200ms")
    key = simulator.wait_for("PF_TOKEN=")
    password = simulator.wait_for("PF_PASSWORD=")
    for line, how in ((key, "API key"), (f"{key.split()[0]} {password}", "login")):
        env = dict(word.split("=", 1) for word in line.split() if word.startswith("PF_"))
        if how == "login":
            env.pop("PF_TOKEN", None)
        one = program("--web.listen-address=127.0.0.1:0", env=env)
        begun = one.wait_for("session begun")
        assert how in begun
        one.wait_for("msg=streaming")
        one.process.send_signal(signal.SIGTERM)
        assert one.end() == 0


BUG = """
import sys
from pf_exporter.cli import main
from pf_exporter.intake import Intake

def bug(*_):
    raise RuntimeError("a bug")

Intake.take = bug
sys.exit(main(["demo", "--listen-address=127.0.0.1:0", "--interval=200ms"]))
"""


def test_a_bug_in_a_thread_is_exit_code_1() -> None:
    """When the thread that reads dies of a bug the process ends by itself, and says so with its exit code."""
    command = [sys.executable, "-c", BUG]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "a thread has died of a bug" in done.stderr
    assert "Traceback" not in done.stderr
