"""Loggers whose messages are constant text with fields beside it."""

from __future__ import annotations

import logging
import sys

from pf_exporter.log.line_format import exception_fields
from pf_exporter.log.throttle import Throttle


class Logger:
    """A named logger; the message is constant and the facts are fields of any name."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)
        self._throttle = Throttle()

    def _log(self, level: int, message: str, fields: dict[str, object]) -> None:
        # The caller of the public method is the source of the line.
        self._logger.log(level, message, extra={"fields": fields}, stacklevel=3)

    def debug(self, message: str, /, **fields: object) -> None:
        """Log a detail that helps to find a fault."""
        self._log(logging.DEBUG, message, fields)

    def info(self, message: str, /, **fields: object) -> None:
        """Log an event of normal operation."""
        self._log(logging.INFO, message, fields)

    def warning(self, message: str, /, **fields: object) -> None:
        """Log a problem that the exporter handles without help."""
        self._log(logging.WARNING, message, fields)

    def error(self, message: str, /, **fields: object) -> None:
        """Log a problem that only a person can solve."""
        self._log(logging.ERROR, message, fields)

    def exception(self, message: str, /, **fields: object) -> None:
        """Log the unexpected exception that is being handled: its type and its lines, without its text."""
        exc = sys.exc_info()[1]
        self._log(logging.ERROR, message, fields if exc is None else {**fields, **exception_fields(exc)})

    def warning_throttled(self, key: str, message: str, /, *, every: float = 60.0, **fields: object) -> None:
        """Log a warning that may be frequent: at most one in ``every`` seconds for each ``key``.

        ``key`` comes from a bounded set.
        """
        if self._throttle.admits(key, every):
            self._log(logging.WARNING, message, fields)
