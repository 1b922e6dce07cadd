"""The command line as a process: its output and its exit code."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pf_exporter import __version__
from pf_exporter.command_line import create_parser
from pf_exporter.config.settings import SETTINGS
from pf_exporter.simulator import FAULTS, MAINTENANCES, RESOURCE_NAMES
from tests.conftest import Program, get, process_environment, until
from tests.server.authority import Authority

Start = Callable[..., Program]
ROOT = Path(__file__).parents[1]


def test_version(program: Start) -> None:
    """--version prints the version and nothing else."""
    command = program("--version")
    assert command.end() == 0
    assert command.output.startswith(f"pf_exporter {__version__} (Python 3.")


def test_version_of_an_image(program: Start) -> None:
    """In an image --version also prints the commit that the image was built from."""
    command = program("--version", env={"PF_EXPORTER_REVISION": "abcdef"})
    assert command.end() == 0
    assert command.output.startswith(f"pf_exporter {__version__} (revision abcdef, Python 3.")


def test_help_is_complete_and_fits_a_terminal() -> None:
    """--help names every setting, every command and the exit codes, in lines of at most 100 characters."""
    text = create_parser().format_help()
    assert [row.flag for row in SETTINGS if row.flag not in text] == []
    for word in ("demo", "simulate", "exit codes", "PF_TOKEN", "--config.check"):
        assert word in text
    assert max(map(len, text.splitlines())) <= 100


def test_help_of_the_simulator_lists_every_fault(program: Start) -> None:
    """`simulate --help` describes each value of --fault and --maintenance, and names each resource."""
    command = program("simulate", "--help")
    assert command.end() == 0
    names = (*FAULTS, *MAINTENANCES, *RESOURCE_NAMES)
    assert [name for name in names if name not in command.output] == []


def test_output_in_another_encoding(program: Start) -> None:
    """Characters that the encoding of the terminal lacks are escaped."""
    command = program("simulate", "--help", env={"PYTHONIOENCODING": "ascii"})
    assert command.end() == 0
    assert "resources of the faults poll-\\u2026" in command.output


def test_without_an_account(program: Start) -> None:
    """Without an account it ends with code 2 and one line that names the ways to give one."""
    command = program("--web.listen-address=127.0.0.1:0")
    assert command.end() == 2
    assert "PF_TOKEN" in command.output
    assert "--config.file" in command.output
    assert "Traceback" not in command.output


def test_without_any_argument(program: Start) -> None:
    """Without any word, and with a last flag that lacks its value, it reports one line."""
    command = program()
    assert command.end() == 2
    (line,) = command.lines
    assert line.startswith("pf-exporter: no account: ")
    command = program("--log.format")
    assert command.end() == 2
    assert command.lines == ["pf-exporter: --log.format needs a value: --log.format logfmt|json"]


def test_all_problems_are_reported_at_once(program: Start, tmp_path: Path) -> None:
    """A file with three mistakes gives three lines, and exit code 2."""
    path = tmp_path / "pf.yml"
    path.write_text("accounts: [{token: x, tokn: y}]\nseries: {ttl: soon}\nbackof: {}\n")
    path.chmod(0o600)
    command = program("--config.check", f"--config.file={path}")
    assert command.end() == 2
    assert len(command.lines) == 3
    assert all(line.startswith("pf-exporter: ") for line in command.lines)


def test_config_check_names_the_accounts(program: Start) -> None:
    """For a good configuration --config.check names the accounts, and starts nothing."""
    command = program("--config.check", env={"PF_TOKEN": "secret-canary"})
    assert command.end() == 0
    assert "The configuration is good. Accounts: default." in command.output
    assert "canary" not in command.output


def test_a_port_that_is_in_use(program: Start) -> None:
    """A listen address in use is one line and exit code 8, before anything connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        command = program(f"--web.listen-address={address}", env={"PF_TOKEN": "x"})
        assert command.end() == 8
    assert command.lines[-1] == (
        f"pf-exporter: cannot listen on '{address}': Address already in use;"
        " choose another --web.listen-address"
    )


@pytest.mark.parametrize("where", ["flag", "variable", "file"])
def test_fatal_messages_follow_the_format_of_the_log(program: Start, tmp_path: Path, where: str) -> None:
    """Where the log is JSON a problem that ends the process is JSON, too; wherever the format is chosen."""
    path = tmp_path / "pf.yml"
    path.write_text("series: {ttl: soon}\n" + ("log: {format: json}\n" if where == "file" else ""))
    env = {"PF_TOKEN": "x"} | ({"PF_EXPORTER_LOG_FORMAT": "json"} if where == "variable" else {})
    flags = ["--log.format=json"] if where == "flag" else []
    command = program(f"--config.file={path}", *flags, env=env)
    assert command.end() == 2
    (line,) = command.lines
    fields = json.loads(line)
    assert fields["level"] == "error"
    assert fields["msg"].startswith(f"{path}:1:10: series.ttl: expected a duration")


def test_usage_errors_follow_the_format_of_the_log(program: Start) -> None:
    """A mistake in the command line is JSON where the command line chooses JSON."""
    command = program("--log.format", "json", "--frobnicate")
    assert command.end() == 2
    assert json.loads(command.output)["msg"] == "unknown flag --frobnicate; see pf-exporter --help"
    command = program("--log.format=logfmt", "chek", env={"PF_EXPORTER_LOG_FORMAT": "json"})
    assert command.end() == 2
    assert command.lines == ["pf-exporter: unknown command 'chek'; did you mean check?"]


def test_the_check_of_a_configuration_is_for_people(program: Start, tmp_path: Path) -> None:
    """--config.check prints problems as text, although the file chooses JSON for the log."""
    path = tmp_path / "pf.yml"
    path.write_text("series: {ttl: soon}\nlog: {format: json}\n")
    command = program("--config.check", f"--config.file={path}", env={"PF_TOKEN": "x"})
    assert command.end() == 2
    (line,) = command.lines
    assert line.startswith(f"pf-exporter: {path}:1:10: series.ttl: expected a duration")


def test_the_first_lines_of_the_log(program: Start, tmp_path: Path) -> None:
    """The log begins with version, revision, files and accounts; then come addresses and TLS."""
    authority = Authority(tmp_path)
    authority.sign("server", "127.0.0.1")
    web, path = tmp_path / "web.yml", tmp_path / "pf.yml"
    web.write_text("tls_server_config: {cert_file: server.pem, key_file: server.key}\n")
    path.write_text(
        "accounts:\n"
        "  - {name: prod, token: x, api_url: 'http://127.0.0.1:9'}\n"
        "  - {name: lab, token: x, api_url: 'http://127.0.0.1:9'}\n"
    )
    path.chmod(0o600)
    command = program(
        f"--config.file={path}",
        f"--web.config.file={web}",
        "--web.listen-address=127.0.0.1:0",
        env={"PF_EXPORTER_REVISION": "abcdef"},
    )
    line = command.wait_for("starting pf_exporter")
    assert f"version={__version__} revision=abcdef python=3." in line
    assert line.endswith(f" config_file={path} web_config_file={web} accounts=prod,lab")
    assert re.search(r" addresses=127.0.0.1:\d+ tls=on accounts=2$", command.wait_for("msg=listening"))
    command.send_signal(signal.SIGTERM)
    assert command.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_demo_serves_and_stops(program: Start, number: signal.Signals) -> None:
    """`demo` prints its addresses, serves ports and circuits, and ends with code 0."""
    command = program("demo", "--web.listen-address=127.0.0.1:0", "--interval=200ms")
    command.wait_for("Simulated PacketFabric: http://127.0.0.1:")
    status_page = command.wait_for("Status page: ").split()[-1]
    assert command.wait_for("Metrics: ").split()[-1] == f"{status_page}metrics"
    assert get(status_page)[2].startswith(b"<!doctype html>")
    line = command.wait_for("msg=listening")
    match = re.search(r"addresses=(\S+)", line)
    assert match is not None
    url = f"http://{match[1]}/metrics"
    assert url == f"{status_page}metrics"
    command.wait_for("msg=streaming")
    families = (b"packetfabric_port_receive_bytes_total{", b"packetfabric_vc_receive_bytes_total{")
    until(lambda: all(name in get(url)[2] for name in families), "ports and circuits on /metrics")
    assert b'packetfabric_up{account="demo"} 1.0' in get(url)[2]
    command.send_signal(number)
    assert command.end() == 0
    assert "Traceback" not in command.output


@pytest.mark.parametrize("command", ["demo", "simulate"])
def test_former_listen_address(program: Start, command: str) -> None:
    """`--listen-address` of `demo` and `simulate` still works, with one line that names its successor."""
    process = program(command, "--listen-address=127.0.0.1:0")
    process.wait_for("Stop with Ctrl-C" if command == "demo" else "PF_PASSWORD=")
    process.send_signal(signal.SIGTERM)
    assert process.end() == 0
    (warning,) = (line for line in process.lines if "deprecated" in line)
    assert "--listen-address: deprecated; use --web.listen-address" in warning


def test_demo_ignores_the_environment(program: Start, tmp_path: Path) -> None:
    """`demo` never records into the file of a real account, whose settings may be in the environment."""
    recording = tmp_path / "streams.gz"
    process = program(
        "demo", "--web.listen-address=127.0.0.1:0", env={"PF_EXPORTER_RECORD_FILE": str(recording)}
    )
    process.wait_for("msg=streaming")
    process.send_signal(signal.SIGTERM)
    assert process.end() == 0
    assert list(tmp_path.iterdir()) == []


def test_exporter_on_a_simulator(program: Start) -> None:
    """The exporter streams from the simulator in another process, by API key and by password."""
    simulator = program("simulate", "--web.listen-address=127.0.0.1:0", "--interval=200ms")
    key = simulator.wait_for("PF_TOKEN=")
    password = simulator.wait_for("PF_PASSWORD=")
    for line, how in ((key, "using an API key"), (password, "logged in")):
        env = dict(word.split("=", 1) for word in line.split() if word.startswith("PF_"))
        command = program("--web.listen-address=127.0.0.1:0", env=env)
        command.wait_for(how)
        command.wait_for("msg=streaming")
        command.send_signal(signal.SIGTERM)
        assert command.end() == 0


UNEXPECTED_ERROR = """
import sys
from pf_exporter.cli import main
from pf_exporter.stream import EventProcessor

def fail(*_):
    raise RuntimeError("canary")

EventProcessor.process = fail
sys.exit(main(["demo", "--web.listen-address=127.0.0.1:0", "--interval=200ms"]))
"""


def test_an_unexpected_error_in_a_thread_is_exit_code_1() -> None:
    """When the stream's thread dies of an unexpected error the process ends, and the log names the thread."""
    argv = [sys.executable, "-c", UNEXPECTED_ERROR]
    done = subprocess.run(
        argv, capture_output=True, text=True, env=process_environment(), timeout=60, check=False
    )
    assert done.returncode == 1
    assert "thread died of an unexpected exception" in done.stderr
    assert "exception=RuntimeError" in done.stderr
    assert "canary" not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_checkout_without_its_dependencies_names_the_command_to_install_them() -> None:
    """exporter.py without the packages that it needs is exit code 1 and one line that says what to do."""
    # -S leaves out site-packages, and with it everything that pip installed.
    argv = [sys.executable, "-S", str(ROOT / "exporter.py"), "demo", "--web.listen-address=127.0.0.1:0"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert re.fullmatch(
        r"exporter\.py: the Python package \w+ is missing; install the packages in requirements\.txt:"
        r" python3 -m pip install -r requirements\.txt\n",
        done.stderr,
    )


def test_a_checkout_runs() -> None:
    """exporter.py is the command line."""
    argv = [sys.executable, str(ROOT / "exporter.py"), "--version"]
    done = subprocess.run(
        argv, capture_output=True, text=True, env=process_environment(), timeout=60, check=True
    )
    assert done.stdout.startswith(f"pf_exporter {__version__} (")
