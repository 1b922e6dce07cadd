"""Signals to the process, which wake the main thread whichever thread the system delivers them to."""

from __future__ import annotations

import signal
import socket

TERMINATION = (signal.SIGTERM, signal.SIGINT)
"""The signals that end every command."""

ENDED = 0
"""What :meth:`SignalWaiter.wait` returns after :meth:`SignalWaiter.end`; no signal has this number."""


class SignalWaiter:
    """Waits for signals; created in the main thread, once per process.

    Python runs the handler of a signal in the main thread, and a main thread that waits for a lock does not
    wake when the system delivers the signal to another thread. Reading from a socket wakes it.
    """

    def __init__(self, *signals: signal.Signals) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._sender.setblocking(False)
        for number in signals:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)

    def fileno(self) -> int:
        """The descriptor that is readable when :meth:`wait` would return at once."""
        return self._receiver.fileno()

    def end(self) -> None:
        """Make :meth:`wait` return ``ENDED``; any thread may call it."""
        self._sender.send(bytes([ENDED]))

    def wait(self) -> int:
        """Wait for the next signal and return its number, or ``ENDED``."""
        return self._receiver.recv(1)[0]
