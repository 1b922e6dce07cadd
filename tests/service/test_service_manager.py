"""What the exporter tells systemd."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pf_exporter.service.service_manager import ServiceManager
from tests.conftest import Program
from tests.fakes import Fake


class Manager:
    """The receiving end of a notification socket."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._socket.settimeout(60)
        self.environ = {"NOTIFY_SOCKET": address}

    def receive(self) -> str:
        """The next message."""
        return self._socket.recv(4096).decode()

    def wait_for(self, text: str) -> None:
        """Wait for a message, and ignore others."""
        while self.receive() != text:
            pass

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@pf-exporter-{os.getpid()}"
    receiver = Manager(address)
    yield receiver
    receiver.close()


def test_messages(manager: Manager) -> None:
    """Each message is that of sd_notify(3), over a socket with a path or in the abstract namespace."""
    service = ServiceManager({**manager.environ, "WATCHDOG_USEC": "1000000"})
    service.ready()
    service.alive()
    service.reloading()
    service.stopping()
    assert [manager.receive(), manager.receive()] == ["READY=1", "WATCHDOG=1"]
    state, _, moment = manager.receive().partition("\nMONOTONIC_USEC=")
    assert (state, moment.isdecimal()) == ("RELOADING=1", True)
    assert manager.receive() == "STOPPING=1"


@pytest.mark.parametrize("environ", [{}, {"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}])
def test_no_watchdog(manager: Manager, environ: dict[str, str]) -> None:
    """Without a watchdog, or with one for another process, no sign of life is sent."""
    service = ServiceManager({**manager.environ, **environ})
    service.alive()
    service.stopping()
    assert manager.receive() == "STOPPING=1"


def test_no_manager(tmp_path: Path) -> None:
    """Without a socket, or with one that is gone, nothing is sent and nothing fails."""
    for environ in ({}, {"NOTIFY_SOCKET": str(tmp_path / "missing")}):
        ServiceManager(environ).ready()


def test_the_service(program: Callable[..., Program], manager: Manager) -> None:
    """The exporter is ready once it listens, sends signs of life, and announces reloads and its end."""
    with Fake() as fake:
        exporter = program(
            "--web.listen-address=127.0.0.1:0",
            env={"PF_HOST": fake.url, "PF_TOKEN": "key", "WATCHDOG_USEC": "60000000", **manager.environ},
        )
        manager.wait_for("READY=1")
        exporter.wait_for("msg=listening")
        manager.wait_for("WATCHDOG=1")
        exporter.send_signal(signal.SIGHUP)
        while not manager.receive().startswith("RELOADING=1\n"):
            pass
        manager.wait_for("READY=1")
        exporter.send_signal(signal.SIGTERM)
        manager.wait_for("STOPPING=1")
        assert exporter.end() == 0
