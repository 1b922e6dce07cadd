"""Listening sockets from systemd (socket activation), as Prometheus' own exporters take them."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

from pf_exporter.errors import ConfigError

FIRST_DESCRIPTOR = 3
"""The descriptor of the first socket; the others follow."""


def activated_sockets(environ: Mapping[str, str]) -> list[socket.socket]:
    """The sockets that systemd passes to this process.

    ``LISTEN_PID`` and ``LISTEN_FDS`` announce them: sd_listen_fds(3). Raises :class:`ConfigError` if there is
    none, or one that is not a listening TCP socket.
    """
    count = environ.get("LISTEN_FDS", "") if environ.get("LISTEN_PID") == str(os.getpid()) else ""
    if not count.isdecimal() or int(count) == 0:
        raise ConfigError(
            ["--web.systemd-socket: systemd passes no socket; start the service by its socket unit"]
        )
    return [_listening_socket(FIRST_DESCRIPTOR + number) for number in range(int(count))]


def _listening_socket(descriptor: int) -> socket.socket:
    where = f"--web.systemd-socket: descriptor {descriptor}"
    try:
        os.set_inheritable(descriptor, False)
        sock = socket.socket(fileno=descriptor)
        is_listening = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
    except OSError as exc:
        raise ConfigError([f"{where} is not a socket: {exc.strerror}"]) from None
    if not is_listening or sock.family not in (socket.AF_INET, socket.AF_INET6):
        raise ConfigError([f"{where} does not listen on TCP; use ListenStream=HOST:PORT"])
    return sock
