"""The check of a listen address: whether the exporter can listen on it."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from pf_exporter.diagnostics.result import CheckFailed, CheckResult, FailureClass, Notice, Outcome
from pf_exporter.diagnostics.runner import run_check

_IN_USE = "stop the program that listens there, or set web.listen_address"
_NOT_LOCAL = "set web.listen_address to an address of this machine"


def _bind(address: str, is_exporter: Callable[[str], bool]) -> Outcome:
    parts = urlsplit(f"//{address}")
    try:
        found = socket.getaddrinfo(
            parts.hostname or None, parts.port or 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror as exc:
        raise CheckFailed(FailureClass.LISTEN, f"{address}: {exc.strerror}", _NOT_LOCAL) from None
    for family, kind, protocol, _, endpoint in found:
        try:
            with socket.socket(family, kind, protocol) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.bind(endpoint)
        except OSError as exc:
            if exc.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL) and not parts.hostname:
                continue  # a machine without IPv6
            if exc.errno == errno.EADDRINUSE and is_exporter(address):
                return Notice(f"{address}: in use by a healthy exporter")
            remedy = _NOT_LOCAL if exc.errno == errno.EADDRNOTAVAIL else _IN_USE
            raise CheckFailed(FailureClass.LISTEN, f"{address}: {exc.strerror}", remedy) from None
    return f"{address} is free"


def check_listen_address(address: str, is_exporter: Callable[[str], bool]) -> CheckResult:
    """Bind to every address that a listen address stands for, and release it.

    ``is_exporter`` tells whether a healthy exporter already listens there, which is not a failure.
    """
    return run_check("", "listen", partial(_bind, address, is_exporter))
