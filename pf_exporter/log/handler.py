"""The handler of the root logger, which every log line of the process passes through."""

from __future__ import annotations

import logging

from pf_exporter.log.line_format import LineFormat, LineFormatter, json_line, logfmt
from pf_exporter.log.writer import LineWriter

STDERR = 2
"""The descriptor of standard error."""

FLUSH_TIMEOUT = 0.25
"""Seconds that exit may wait for a blocked standard error; SIGTERM has to end the process within 2 s."""

LIBRARY_LEVELS = {
    "urllib3": logging.ERROR,  # its warnings quote URLs, and with them the subscription
    "sseclient": logging.WARNING,  # its debug messages quote text that was received, of any length
}
"""Levels of libraries whose other messages may contain secrets or received text."""


class LogHandler(logging.Handler):
    """Formats records in the thread that logs and leaves writing to a :class:`LineWriter`.

    ``logging.shutdown``, which Python runs at exit, flushes and closes it.
    """

    def __init__(self, line_format: LineFormat, descriptor: int) -> None:
        super().__init__()
        self.setFormatter(LineFormatter(line_format))
        self.is_json = line_format is json_line
        """Whether lines are JSON, which only programs read."""
        self.line_prefix = ""
        """Text before each line, such as a control sequence that erases a progress line."""
        self._writer = LineWriter(descriptor, self._dropped_notice)

    @property
    def dropped(self) -> int:
        """Lines that were dropped so far."""
        return self._writer.dropped

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the line of a record."""
        try:
            line = self.format(record)
        except Exception as exc:  # noqa: BLE001 - a log call must never fail its caller.
            line = self._own_line(
                "log record cannot be formatted", logger=record.name, exception=type(exc).__name__
            )
        self.write(line)

    def write(self, line: str) -> None:
        """Queue a line that is not a record's."""
        self._writer.put(f"{self.line_prefix}{line}")

    def flush(self) -> None:
        """Wait for queued lines to be written, for at most :data:`FLUSH_TIMEOUT`."""
        self._writer.flush(FLUSH_TIMEOUT)

    def close(self) -> None:
        """Drop and count any later line."""
        self._writer.close()
        super().close()

    def _dropped_notice(self, count: int) -> str:
        return self._own_line("log lines dropped", count=count)

    def _own_line(self, message: str, **fields: object) -> str:
        """A line about the log itself, which does not pass through the queue."""
        line = self._own_line.__code__.co_firstlineno  # the source of the line, as for any other
        record = logging.LogRecord(__name__, logging.WARNING, __file__, line, message, None, None)
        record.fields = fields
        return self.format(record)


def configure_logging(level: str, style: str, descriptor: int = STDERR) -> LogHandler:
    """Send the log of the whole process to a file descriptor, as ``style`` (``logfmt`` or ``json``).

    ``level`` applies to pf_exporter; libraries log warnings and errors only. Before the first call Python
    prints the bare messages of warnings and errors to standard error.
    """
    handler = LogHandler(json_line if style == "json" else logfmt, descriptor)
    root = logging.getLogger()
    previous = root.handlers[:]
    root.handlers[:] = [handler]
    for old in previous:
        if isinstance(old, LogHandler):
            old.flush()
            old.close()
    root.setLevel(logging.WARNING)
    for name, library_level in LIBRARY_LEVELS.items():
        logging.getLogger(name).setLevel(library_level)
    logging.getLogger("pf_exporter").setLevel({"warn": "WARNING"}.get(level, level.upper()))
    return handler


def flush_logging() -> None:
    """Let log lines reach standard error before something else is printed."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, LogHandler):
            handler.flush()


def dropped_lines() -> int:
    """Return how many log lines were dropped, because standard error was blocked or could not be written."""
    return sum(handler.dropped for handler in logging.getLogger().handlers if isinstance(handler, LogHandler))


def report(message: str, *, prefix: str) -> None:
    """Print a message for the user to standard error, or log it as an error where the log is JSON.

    The line follows what was logged before it. A blocked standard error is waited for as at exit.
    """
    handlers = [one for one in logging.getLogger().handlers if isinstance(one, LogHandler)]
    if any(handler.is_json for handler in handlers):
        # The caller of the function that calls this one is the source of the line.
        logging.getLogger("pf_exporter").error(message, stacklevel=3)
        flush_logging()
        return
    handler = handlers[0] if handlers else LogHandler(logfmt, STDERR)
    handler.write(f"{prefix}{message}")
    handler.flush()
    if not handlers:
        handler.close()
