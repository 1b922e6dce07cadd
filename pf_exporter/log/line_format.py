"""Log records as lines of logfmt or JSON, in the form of Prometheus' promslog."""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Callable
from datetime import datetime, timezone

MAX_VALUE_LENGTH = 500
"""Characters of one value: input from outside may be of any length."""

_LEVELS = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warn", logging.ERROR: "error"}
_UNQUOTED = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/+-|@%()[],;~<>*?&#!'$^"
)


LineFormat = Callable[[dict[str, object]], str]
"""Formats the fields of one event as a line without its newline."""


def _printable(value: object) -> str:
    """A value as text: cut to its maximum length, with control characters escaped."""
    text = value if isinstance(value, str) else str(value)
    return "".join(
        letter if letter.isprintable() else repr(letter)[1:-1] for letter in text[:MAX_VALUE_LENGTH]
    )


def logfmt(fields: dict[str, object]) -> str:
    """Format fields as ``key=value`` pairs, quoted where needed.

    >>> logfmt({"level": "warn", "msg": "stream lost", "delay": 1.5})
    'level=warn msg="stream lost" delay=1.5'
    """
    pairs = []
    for key, value in fields.items():
        text = _printable(value)
        unquoted = bool(text) and _UNQUOTED.issuperset(text)
        pairs.append(f"{key}={text if unquoted else json.dumps(text, ensure_ascii=False)}")
    return " ".join(pairs)


def json_line(fields: dict[str, object]) -> str:
    """Format fields as one JSON object; numbers and booleans keep their type.

    >>> json_line({"level": "warn", "msg": "stream lost", "delay": 1.5})
    '{"level": "warn", "msg": "stream lost", "delay": 1.5}'
    """
    return json.dumps(
        {
            key: value if isinstance(value, bool | int | float) else _printable(value)
            for key, value in fields.items()
        },
        ensure_ascii=False,
    )


def exception_fields(exc: BaseException) -> dict[str, object]:
    """The type of an unexpected exception and the lines it passed through.

    Its text is left out, because it may contain a secret.
    """
    frames = traceback.extract_tb(exc.__traceback__)
    return {
        "exception": type(exc).__name__,
        "at": " ".join(f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in frames),
    }


class LineFormatter(logging.Formatter):
    """Formats a record: ``time``, ``level``, ``source`` and ``msg``, then the record's own fields."""

    def __init__(self, line_format: LineFormat) -> None:
        super().__init__()
        self._line_format = line_format

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        time = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        fields: dict[str, object] = {
            "time": time.replace("+00:00", "Z"),
            "level": _LEVELS.get(record.levelno, record.levelname.lower()),
            "source": f"{record.filename}:{record.lineno}",
            "msg": record.getMessage(),
        }
        fields.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[1] is not None:  # From a library; Logger passes none.
            fields.update(exception_fields(record.exc_info[1]))
        return self._line_format(fields)
