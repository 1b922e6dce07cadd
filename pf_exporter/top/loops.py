"""The table on a terminal until a key or a signal ends it, and as lines where there is no terminal."""

from __future__ import annotations

import select
import signal
import time

from pf_exporter.process import SignalWaiter
from pf_exporter.top.circuit import Source
from pf_exporter.top.controls import Controls
from pf_exporter.top.keys import Key, KeyDecoder
from pf_exporter.top.output import Blocked, Output
from pf_exporter.top.table import Table
from pf_exporter.top.terminal import Terminal
from pf_exporter.top.view import View, page_size

ESCAPE_TIME = 0.05
"""Seconds after which Esc is the key and not the start of a sequence, which terminals send at once."""


class LiveTable:
    """The table on a terminal; a new reading every ``interval`` seconds."""

    def __init__(
        self,
        source: Source,
        terminal: Terminal,
        signals: SignalWaiter,
        view: View,
        controls: Controls,
        *,
        interval: float,
    ) -> None:
        self._source = source
        self._terminal = terminal
        self._signals = signals
        self._view = view
        self._controls = controls
        self._interval = interval
        self._table = Table()
        self._decoder = KeyDecoder()

    def run(self) -> None:
        """Show the table until q or a signal; the terminal is then as it was, also after an exception.

        Raises ``OSError`` if the terminal is gone.
        """
        with self._terminal:
            due = 0.0
            while not self._controls.quit:
                now = time.monotonic()
                if now >= due:
                    self._table.update(self._source.read())
                    due = now + self._interval
                self._draw()
                self._wait(due - now)

    def _draw(self) -> None:
        try:
            self._terminal.draw(self._view.screen(self._table, self._controls, self._terminal.size()))
        except Blocked:
            self._react_to_signal()

    def _wait(self, seconds: float) -> None:
        """Wait for a key, a signal or the time, and react."""
        timeout = ESCAPE_TIME if self._decoder.is_pending else max(seconds, 0.0)
        sources: list[SignalWaiter | Terminal] = [self._signals, self._terminal]
        ready, _, _ = select.select(sources, [], [], timeout)
        if self._signals in ready:
            self._react_to_signal()
        elif self._terminal in ready:
            self._react_to_keys()
        elif self._decoder.is_pending:
            self._press(self._decoder.flush())

    def _react_to_signal(self) -> None:
        number = self._signals.wait()
        if number == signal.SIGTSTP:
            self._terminal.suspend()
        elif number != signal.SIGWINCH:  # After which drawing again is all there is to do.
            self._controls.quit = True

    def _react_to_keys(self) -> None:
        data = self._terminal.read()
        if data:
            self._press(self._decoder.feed(data))
        else:
            self._controls.quit = True

    def _press(self, keys: list[Key | str]) -> None:
        page = page_size(self._terminal.size()[1])
        for key in keys:
            self._controls.press(key, page=page)
        if self._table.paused and not self._controls.paused:
            self._table.paused = False
            self._table.update(self._source.read())
        self._table.paused = self._controls.paused


class PlainTables:
    """The table as lines, once or every ``interval`` seconds.

    Raises :class:`OSError` if the reader is gone, and :class:`Blocked` if a signal arrives while the reader
    does not read.
    """

    def __init__(
        self,
        source: Source,
        signals: SignalWaiter,
        view: View,
        controls: Controls,
        output: Output,
        *,
        interval: float,
    ) -> None:
        self._source = source
        self._signals = signals
        self._view = view
        self._controls = controls
        self._output = output
        self._interval = interval
        self._table = Table()

    def once(self, within: float) -> bool:
        """Write one table when it is complete, or after ``within`` seconds; return whether there is data."""
        end = time.monotonic() + within
        self._read()
        while not self._table.is_complete(self._controls.kind) and time.monotonic() < end:
            if self._interrupted(min(self._interval, end - time.monotonic())):
                return True
            self._read()
        has_data = self._table.has_data(self._controls.kind)
        if has_data:
            self._show()
        return has_data

    def repeat(self) -> None:
        """Write a table at each interval until a signal."""
        while not self._interrupted(self._interval):
            self._read()
            self._show()
            self._output.write("\n")

    def _read(self) -> None:
        self._table.update(self._source.read())

    def _show(self) -> None:
        for line in self._view.plain(self._table, self._controls):
            self._output.write(f"{line}\n")

    def _interrupted(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._signals], [], [], max(seconds, 0.0))
        return bool(ready)
