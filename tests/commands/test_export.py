"""The exporter as a process whose log is not read."""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pf_exporter.log.writer import MAX_LINES
from tests.conftest import PATIENCE, Program, get, listening_port, process_environment, until
from tests.fakes import Fake, event
from tests.server.authority import Authority


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


METRICS = {"port_circuit_id": "PF-AP-LAX1-1", "bytes_rx_total": 1000}
LOGIN = {"log_level": "info", "message": "logged in"}


def test_a_blocked_stderr_stops_nothing(full_pipe: int) -> None:
    """If standard error is not read, the exporter still streams, serves, and ends."""
    with Fake() as fake:
        process = subprocess.Popen(
            [sys.executable, "-m", "pf_exporter", "--web.listen-address=127.0.0.1:0"],
            stdout=subprocess.DEVNULL,
            stderr=full_pipe,
            env=process_environment(PF_HOST=fake.url, PF_TOKEN="key"),
        )
        try:
            fake.wait_for(lambda: fake.streams)
            url = f"http://127.0.0.1:{listening_port(process)}"
            # Each activity is a line of the log: more of them than the queue can hold.
            fake.send(*[event("customer|auth", LOGIN)] * (3 * MAX_LINES), event("port|metrics", METRICS))
            until(
                lambda: re.search(rb"_receive_bytes_total\{.*\} 1000", get(f"{url}/metrics")[2]), "the event"
            )
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            process.wait()


def handles_sigterm(pid: int) -> bool:
    """Whether a process has a handler for SIGTERM."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = re.search(r"SigCgt:\s*([0-9a-f]+)", status)
    assert caught is not None
    return bool(int(caught[1], 16) & 1 << signal.SIGTERM - 1)


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8])
def test_sigterm_during_the_start(program: Callable[..., Program], delay: float) -> None:
    """SIGTERM ends the process with 0, at any moment from its first instruction on."""
    with Fake() as fake:
        exporter = program("--web.listen-address=127.0.0.1:0", env={"PF_HOST": fake.url, "PF_TOKEN": "key"})
        until(lambda: handles_sigterm(exporter.process.pid), "the first instruction")
        threading.Event().wait(delay)
        exporter.send_signal(signal.SIGTERM)
        assert exporter.end() == 0, exporter.output


def test_a_check_that_is_terminated(program: Callable[..., Program]) -> None:
    """The exit code of a check that SIGTERM ends is not that of a good configuration."""
    check = program("--config.check", env={"PF_TOKEN": "key"})
    check.send_signal(signal.SIGTERM)
    assert check.end() != 0 or "The configuration is good" in check.output


def test_a_flood_of_sighup(program: Callable[..., Program]) -> None:
    """However many SIGHUP arrive, one reload runs at a time and one is pending; SIGTERM ends it at once."""
    with Fake() as fake:
        exporter = program("--web.listen-address=127.0.0.1:0", env={"PF_HOST": fake.url, "PF_TOKEN": "key"})
        exporter.wait_for("msg=streaming")
        for _ in range(2000):
            exporter.send_signal(signal.SIGHUP)
        # A thread for each signal, or for each reload, would be hundreds; one account has fewer than ten.
        assert len(os.listdir(f"/proc/{exporter.process.pid}/task")) < 20
        exporter.wait_for("configuration reloaded")
        exporter.send_signal(signal.SIGTERM)
        assert exporter.end() == 0
    reloads = [line for line in exporter.lines if "configuration reloaded" in line]
    assert 1 <= len(reloads) < 2000


def test_an_empty_file_is_not_reloaded(program: Callable[..., Program], tmp_path: Path) -> None:
    """A configuration file that is empty while it is written does not replace its accounts by another."""
    path = tmp_path / "pf.yaml"
    with Fake() as fake:
        path.write_text(
            f"accounts: [{{name: one, api_url: '{fake.url}', login: user, password: password}}]\n"
        )
        path.chmod(0o600)
        exporter = program(
            f"--config.file={path}",
            "--web.listen-address=127.0.0.1:0",
            env={"PF_HOST": fake.url, "PF_TOKEN": "key"},
        )
        exporter.wait_for("msg=streaming account=one")
        path.write_text(" \n")
        exporter.send_signal(signal.SIGHUP)
        assert "the file is empty" in exporter.wait_for("configuration not reloaded")
        exporter.send_signal(signal.SIGTERM)
        assert exporter.end() == 0


def test_no_key_log(program: Callable[..., Program], authority: Authority, tmp_path: Path) -> None:
    """The keys of TLS connections are never written to the file that SSLKEYLOGFILE names."""
    certificate, key = authority.sign("server", "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    keys = tmp_path / "keys"
    with Fake(tls=context) as fake:
        path = tmp_path / "pf.yaml"
        account = f"{{name: one, api_url: '{fake.url}', token: key, ca_file: '{authority.path}'}}"
        path.write_text(f"accounts: [{account}]\n")
        path.chmod(0o600)
        exporter = program(
            f"--config.file={path}", "--web.listen-address=127.0.0.1:0", env={"SSLKEYLOGFILE": str(keys)}
        )
        exporter.wait_for("msg=streaming account=one")
        exporter.send_signal(signal.SIGTERM)
        assert exporter.end() == 0
    assert not keys.exists()
