"""Check that the exporter can listen on an address."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from pf_exporter.diagnostics.result import CheckResult, Failed, Finding, Notice, run_check

TAKEN = "stop what listens there, or set web.listen_address"
NOT_HERE = "give an address of this machine as web.listen_address"
"""What to do where the exporter could not listen."""


def listening(
    address: str, is_ours: Callable[[str], bool], *, clock: Callable[[], float] = time.monotonic
) -> CheckResult:
    """Whether the exporter could listen there; ``is_ours`` tells whether one does so already."""

    def bind() -> Finding:
        parts = urlsplit(f"//{address}")
        found = socket.getaddrinfo(
            parts.hostname or None, parts.port or 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        for family, kind, protocol, _, place in found:
            try:
                with socket.socket(family, kind, protocol) as sock:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    if family == socket.AF_INET6:
                        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    sock.bind(place)
            except OSError as exc:
                if exc.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL) and not parts.hostname:
                    continue  # a machine without IPv6
                if exc.errno == errno.EADDRINUSE and is_ours(address):
                    return Notice(f"{address}: taken, by an exporter that is well", "")
                hint = NOT_HERE if exc.errno == errno.EADDRNOTAVAIL else TAKEN
                raise Failed("taken", f"{address}: {exc.strerror}", hint) from None
        return f"{address} is free"

    def free() -> Finding:
        try:
            return bind()
        except socket.gaierror as exc:
            raise Failed("taken", f"{address}: {exc.strerror}", NOT_HERE) from None

    return run_check("", "listen", free, clock=clock)
