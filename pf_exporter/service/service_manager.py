"""Notifies systemd of the state of the service: sd_notify(3)."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping

from pf_exporter.log import Logger

log = Logger(__name__)


class ServiceManager:
    """The notification socket that the environment names; without one, nothing is sent.

    Any thread may call. Nothing blocks: a message that systemd does not take is dropped.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # A leading @ is a socket in the abstract namespace.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        for_this_process = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._has_watchdog = for_this_process and "WATCHDOG_USEC" in environ

    def _notify(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
                sock.sendto("\n".join(lines).encode(), self._address)
        except OSError as exc:
            log.warning_throttled("notify", "cannot notify systemd", error=exc.strerror or exc)

    def ready(self) -> None:
        """Report that the service is ready, at the start and after a reload."""
        self._notify("READY=1")

    def reloading(self) -> None:
        """Report that the service reloads its configuration."""
        self._notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Report that the service is stopping."""
        self._notify("STOPPING=1")

    def alive(self) -> None:
        """Everything makes progress; systemd restarts a service that does not send this for WatchdogSec."""
        if self._has_watchdog:
            self._notify("WATCHDOG=1")
