"""What the process is told from outside, heard whichever thread the system hands it to."""

from __future__ import annotations

import signal
import socket

TERMINATED = 0
"""What :meth:`SignalWaiter.wait` gives when the process has a reason of its own to end."""


class SignalWaiter:
    """Signals to wait for; made in the main thread, once in a process.

    Python runs a signal's handler only when the main thread runs next, and one that waits for a lock
    does not wake for a signal that another thread was given. A descriptor that is written to wakes it.
    """

    def __init__(self, *numbers: signal.Signals) -> None:
        self._heard, self._rung = socket.socketpair()
        self._rung.setblocking(False)
        for number in numbers:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(self._rung.fileno(), warn_on_full_buffer=False)

    def end(self) -> None:
        """Let :meth:`wait` give ``ENDED``; any thread may call."""
        self._rung.send(bytes([TERMINATED]))

    def wait(self) -> int:
        """The number of the next signal, or ``ENDED``."""
        return self._heard.recv(1)[0]
