"""Sockets that the parent process passes, as systemd does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest

from pf_exporter.errors import ConfigError
from pf_exporter.server.socket_activation import activated_sockets
from tests.conftest import get, process_environment, until
from tests.fakes import Fake

PASS = """
import fcntl, os, sys
# Copies with high numbers first: a descriptor may be one of those that are replaced.
copies = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 100) for number in sys.argv[1].split(",")]
for number, copy in enumerate(copies, 3):
    os.dup2(copy, number)
    os.close(copy)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(copies)))
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
"""Replaces itself by a program that gets sockets as descriptors 3, 4 and so on, as systemd does."""

PRINT = """
import os
from pf_exporter.server.socket_activation import activated_sockets
from pf_exporter.errors import ConfigError

try:
    for sock in activated_sockets(os.environ):
        print(sock.getsockname(), "inherited" if sock.get_inheritable() else "kept")
except ConfigError as exc:
    print(exc)
"""


def start(descriptors: Sequence[int], *arguments: str, **environ: str) -> subprocess.Popen[str]:
    """Start Python with descriptors as passed sockets."""
    return subprocess.Popen(
        [sys.executable, "-c", PASS, ",".join(map(str, descriptors)), *arguments],
        pass_fds=descriptors,
        env=process_environment(**environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A listening socket on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


def test_the_exporter_serves_on_a_passed_socket(listening: socket.socket) -> None:
    """With --web.systemd-socket the exporter answers on the socket that it inherits, and on no other."""
    port = listening.getsockname()[1]
    with Fake() as fake:
        process = start(
            [listening.fileno()],
            *("-m", "pf_exporter", "--web.systemd-socket", "--web.listen-address=127.0.0.1:1"),
            PF_HOST=fake.url,
            PF_TOKEN="key",
        )
        try:
            # A client that connects before the exporter runs is served, too: its connection waits.
            assert b"packetfabric_up" in get(f"http://127.0.0.1:{port}/metrics")[2]
            until(lambda: fake.streams, "the stream")
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 0
    assert f"msg=listening addresses=127.0.0.1:{port} tls=off" in output


def passed(*descriptors: int) -> str:
    """What a process makes of passed descriptors."""
    output, _ = start(descriptors, "-c", PRINT).communicate(timeout=60)
    return output.strip()


def test_passed_sockets_are_found(listening: socket.socket) -> None:
    """Listening sockets are taken as they are, in their order, and not passed on to other programs."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        names = [str(sock.getsockname()) for sock in (other, listening)]
        assert passed(other.fileno(), listening.fileno()).splitlines() == [f"{name} kept" for name in names]


def test_what_cannot_be_served_is_refused() -> None:
    """A socket that does not listen, one that is not TCP, and a file are refused with what to do."""
    with socket.socket() as sock:
        assert "descriptor 3 does not listen on TCP; use ListenStream=HOST:PORT" in passed(sock.fileno())
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(b"\0pf-exporter-test-%d" % os.getpid())
        sock.listen()
        assert "descriptor 3 does not listen on TCP" in passed(sock.fileno())
    with open("/dev/null") as file:
        assert "descriptor 3 is not a socket: Socket operation on non-socket" in passed(file.fileno())


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_FDS": "1"},
        {"LISTEN_FDS": "1", "LISTEN_PID": "1"},
        {"LISTEN_FDS": "0", "LISTEN_PID": str(os.getpid())},
        {"LISTEN_FDS": "x", "LISTEN_PID": str(os.getpid())},
    ],
    ids=["nothing", "no process", "another process", "none", "no number"],
)
def test_no_socket(environ: dict[str, str]) -> None:
    """Without a socket for this process the error names the socket unit."""
    with pytest.raises(ConfigError, match="systemd passes no socket; start the service by its socket unit"):
        activated_sockets(environ)
