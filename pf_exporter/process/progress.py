"""A progress line at the bottom of the terminal."""

from __future__ import annotations

import contextlib
import io
import os
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import NamedTuple

from pf_exporter.descriptor import write_all
from pf_exporter.log import LogHandler

STDERR = 2
"""The descriptor of standard error."""

ERASE = "\r\x1b[K"
"""Erases the line of the cursor."""

INTERVAL = 0.25
"""Seconds between two drawings; also how long a blocked terminal is waited for at the end."""

BAR_WIDTH = 24

UNKNOWN_WIDTH = 80
"""Columns of a terminal that does not report its size, such as a serial line."""


class Progress(NamedTuple):
    """The progress of a task."""

    text: str
    fraction: float | None = None
    """From 0 to 1; None if the end is not known."""


def render(progress: Progress, width: int) -> str:
    """A line of at most ``width`` columns, with a bar if the end is known."""
    from rich.console import Console
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    console = Console(file=io.StringIO(), force_terminal=True, width=width, highlight=False)
    table = Table.grid(padding=(0, 1))
    cells: list[ProgressBar | Text] = [Text(progress.text, no_wrap=True, overflow="ellipsis")]
    if progress.fraction is not None:
        fraction = min(max(progress.fraction, 0.0), 1.0)
        cells = [ProgressBar(1.0, fraction, width=BAR_WIDTH), Text(f"{fraction:4.0%}"), *cells]
    table.add_row(*cells)
    with console.capture() as capture:
        console.print(table, end="")
    return capture.get().rstrip("\n")


class ProgressLine:
    """Draws the line on a thread, while the context is open; draws nothing if ``descriptor`` is no terminal.

    The thread reads ``source``; None shows nothing. Log lines of ``handler`` replace the line, which is drawn
    again below them.
    """

    def __init__(
        self, source: Callable[[], Progress | None], handler: LogHandler, descriptor: int = STDERR
    ) -> None:
        self._source = source
        self._handler = handler
        self._descriptor = descriptor
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._is_drawn = False
        # A daemon, since a write to a blocked terminal cannot be interrupted.
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def __enter__(self) -> ProgressLine:
        if os.isatty(self._descriptor) and os.environ.get("TERM", "dumb") != "dumb":
            self._handler.line_prefix = ERASE
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        with self.erased():
            self._handler.line_prefix = ""

    @contextlib.contextmanager
    def erased(self) -> Iterator[None]:
        """Remove the line while something else is printed."""
        has_lock = self._lock.acquire(timeout=INTERVAL)
        try:
            if has_lock:
                self._draw("")
            yield
        finally:
            if has_lock:
                self._lock.release()

    def _run(self) -> None:
        while not self._done.wait(INTERVAL):
            with self._lock:
                if not self._done.is_set():
                    progress = self._source()
                    width = os.get_terminal_size(self._descriptor).columns or UNKNOWN_WIDTH
                    # The last column stays free: some terminals wrap as soon as it is written.
                    self._draw("" if progress is None else render(progress, max(width - 1, 1)))

    def _draw(self, line: str) -> None:
        if line or self._is_drawn:
            self._is_drawn = bool(line)
            with contextlib.suppress(OSError):  # The terminal has gone.
                write_all(self._descriptor, f"{ERASE}{line}".encode())
