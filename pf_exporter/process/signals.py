"""Signals to the process, which wake the main thread whichever thread the system delivers them to."""

from __future__ import annotations

import signal
import socket
from types import FrameType

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
        self._final: int | None = None
        """What every later :meth:`wait` returns. In a flood of signals the socket may have no room for it."""
        # In this order: a signal in between is not lost.
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        for number in signals:
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if number in TERMINATION:
            self._final = number

    def fileno(self) -> int:
        """The descriptor that is readable when :meth:`wait` would return at once."""
        return self._receiver.fileno()

    def end(self) -> None:
        """Make :meth:`wait` return ``ENDED``; any thread may call it."""
        try:
            self._sender.send(bytes([ENDED]))
        except BlockingIOError:
            self._final = ENDED

    def wait(self) -> int:
        """Wait for the next signal and return its number, or ``ENDED``."""
        number = self._receiver.recv(1)[0]
        return number if self._final is None else self._final
