"""The terminal: its alternate screen, single keys instead of lines, and its former state afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import termios
from types import TracebackType
from typing import Any

from pf_exporter.top.output import Blocked, Output

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J"
"""Alternate screen, cursor hidden, cleared."""
_LEAVE = "\x1b[?25h\x1b[?1049l"
_HOME, _END_OF_LINE, _BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
PATIENCE = 1.0
"""Seconds to wait for a terminal that takes no output before its settings are restored."""
_LOCAL, _INPUT = 3, 0
"""Places in the list of ``termios.tcgetattr``."""


class Terminal:
    """A terminal that shows full screens and gives single keys while it is entered.

    Signals from the keyboard, such as Ctrl-C, still arrive. :class:`OSError` means that the terminal is gone.
    """

    def __init__(self, keyboard: int, screen: Output) -> None:
        self._keyboard = keyboard
        self._screen = screen
        self._saved: list[Any] | None = None

    def fileno(self) -> int:
        """The descriptor to wait on for keys."""
        return self._keyboard

    def read(self) -> bytes:
        """The keys that were pressed; empty if the terminal is gone."""
        try:
            return os.read(self._keyboard, 4096)
        except OSError:
            return b""

    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        columns, lines = os.get_terminal_size(self._screen.descriptor)
        return columns or 80, lines or 24

    def draw(self, lines: list[str]) -> None:
        """Show lines from the top of the screen; without flicker, because nothing is cleared first."""
        self._screen.write(_HOME + f"{_END_OF_LINE}\r\n".join(lines) + _END_OF_LINE + _BELOW)

    def suspend(self) -> None:
        """Stop the process as Ctrl-Z does, with the terminal as it was; returns when it continues."""
        self.leave()
        os.kill(os.getpid(), signal.SIGSTOP)
        self.enter()

    def enter(self) -> None:
        """Switch to the alternate screen, and to single keys without echo."""
        self._saved = termios.tcgetattr(self._keyboard)
        mode = termios.tcgetattr(self._keyboard)
        mode[_LOCAL] &= ~(termios.ECHO | termios.ICANON)
        mode[_INPUT] &= ~termios.IXON  # Ctrl-S would block the next write, and with it the end.
        termios.tcsetattr(self._keyboard, termios.TCSADRAIN, mode)
        self._screen.write(_ENTER)

    def leave(self) -> None:
        """Restore the terminal, unless it is gone."""
        if self._saved is None:
            return
        saved, self._saved = self._saved, None
        with contextlib.suppress(OSError, Blocked):
            self._screen.write(_LEAVE, PATIENCE)
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._keyboard, termios.TCSANOW, saved)

    def __enter__(self) -> Terminal:
        self.enter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()
