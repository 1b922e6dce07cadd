"""The command line on a pseudo-terminal, with what it draws."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from tests.conftest import PATIENCE, process_environment, until

# Makes it the controlling terminal, so that Ctrl-C, Ctrl-Z and changes of its size send signals.
_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "pf_exporter", *sys.argv[1:]])
"""
_CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\([A-Z])|\r")
ENTERED, LEFT = "\x1b[?1049h", "\x1b[?25h\x1b[?1049l"


class PseudoTerminal:
    """A process on a pseudo-terminal of a given size."""

    def __init__(self, *arguments: str, env: Mapping[str, str], columns: int = 120, lines: int = 24) -> None:
        self.keyboard, self.terminal = pty.openpty()
        self.resize(columns, lines)
        self.before = self.attributes()
        self.drawn = ""
        """Everything written so far, with control sequences."""
        self._changed = threading.Condition()
        self._reading_ends = threading.Event()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *arguments],
            stdin=self.terminal,
            stdout=self.terminal,
            stderr=self.terminal,
            start_new_session=True,
            env=process_environment(LANG="C.UTF-8", TERM="xterm-256color", **env),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while not self._reading_ends.is_set():
            try:
                data = os.read(self.keyboard, 65536)
            except OSError:
                data = b""
            with self._changed:
                self.drawn += data.decode(errors="replace")
                self._changed.notify_all()
            if not data:
                return

    def stop_reading(self) -> None:
        """Read nothing more, and wait until the terminal takes nothing more."""
        self._reading_ends.set()
        self._reader.join(60)
        until(lambda: not select.select([], [self.terminal], [], 0)[1], "a full terminal")

    def attributes(self) -> list[Any]:
        """The settings of the terminal."""
        return termios.tcgetattr(self.terminal)

    def resize(self, columns: int, lines: int) -> None:
        """Change the size, as a window does."""
        fcntl.ioctl(self.keyboard, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys: str) -> None:
        """Type keys; what is drawn before is no longer looked at by :meth:`wait_for`."""
        with self._changed:
            self.drawn = ""
        os.write(self.keyboard, keys.encode())

    def screen(self) -> list[str]:
        """The lines of the last whole screen, without control sequences."""
        frames = self.drawn.split("\x1b[H")
        whole = [frame.partition("\x1b[J")[0] for frame in frames if "\x1b[J" in frame]
        return [line.rstrip() for line in _CONTROL.sub("", whole[-1]).split("\n")] if whole else []

    def wait_for(self, pattern: str, *, seconds: float = PATIENCE) -> str:
        """Wait until a line of the screen matches a regular expression, and return the line."""

        def found() -> str | None:
            return next((line for line in self.screen() if re.search(pattern, line)), None)

        with self._changed:
            self._changed.wait_for(lambda: found() is not None or self.process.poll() is not None, seconds)
            line = found()
            assert line is not None, f"no {pattern!r} in {seconds} s:\n" + "\n".join(self.screen())
            return line

    def wait_for_output(self, text: str, *, seconds: float = PATIENCE) -> None:
        """Wait until a text, control sequences included, has been written."""
        with self._changed:
            assert self._changed.wait_for(lambda: text in self.drawn, seconds), repr(self.drawn[-500:])

    def end(self, *, seconds: float = PATIENCE) -> int:
        """The exit code of the process, which ends by itself."""
        return self.process.wait(seconds)

    def __enter__(self) -> PseudoTerminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait(60)
        os.close(self.terminal)  # Ends the reader.
        self._reader.join(60)
        os.close(self.keyboard)
