"""One event a line on standard error, as logfmt or JSON, with the keys Prometheus' own programs use."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, TextIO

_LEVELS = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warn", logging.ERROR: "error"}
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/+-|@%()[],;~<>*?&#!'$^")
LONGEST = 500
"""Characters of one value: what comes from outside may be any length."""


def _text(value: object) -> str:
    """A value as it may stand in a log: not too long, and without what a terminal would obey."""
    text = value if isinstance(value, str) else str(value)
    text = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text[:LONGEST])
    return text


def logfmt(fields: dict[str, object]) -> str:
    """``key=value`` pairs, quoted where needed.

    >>> logfmt({"level": "warn", "msg": "stream lost", "delay": 1.5})
    'level=warn msg="stream lost" delay=1.5'
    """
    pairs = []
    for key, value in fields.items():
        text = _text(value)
        plain = bool(text) and _PLAIN.issuperset(text)
        pairs.append(f"{key}={text if plain else json.dumps(text, ensure_ascii=False)}")
    return " ".join(pairs)


def jsonline(fields: dict[str, object]) -> str:
    """One JSON object; numbers stay numbers.

    >>> jsonline({"level": "warn", "msg": "stream lost", "delay": 1.5})
    '{"level": "warn", "msg": "stream lost", "delay": 1.5}'
    """
    return json.dumps(
        {
            key: value if isinstance(value, bool | int | float) else _text(value)
            for key, value in fields.items()
        },
        ensure_ascii=False,
    )


class _Formatter(logging.Formatter):
    def __init__(self, style: Callable[[dict[str, object]], str]) -> None:
        super().__init__()
        self._line = style

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": _LEVELS.get(record.levelno, record.levelname.lower()),
            "source": f"{record.filename}:{record.lineno}",
            "msg": record.getMessage(),
        }
        fields.update(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[0] is not None:
            # A bug: the way to it matters; its text may hold what must not leave the process.
            fields["exception"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            fields["at"] = " ".join(f"{os.path.basename(f.filename)}:{f.lineno}" for f in frames)
        return self._line(fields)


class Logger:
    """A named log whose messages are constant words, and whose facts are fields beside them, of any name."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}

    def _log(self, level: int, message: str, fields: dict[str, Any], *, exc_info: bool = False) -> None:
        self._logger.log(level, message, exc_info=exc_info, extra={"fields": fields}, stacklevel=3)

    def debug(self, message: str, /, **fields: object) -> None:
        """For the one who looks for a fault."""
        self._log(logging.DEBUG, message, fields)

    def info(self, message: str, /, **fields: object) -> None:
        """What happens in good order."""
        self._log(logging.INFO, message, fields)

    def warning(self, message: str, /, **fields: object) -> None:
        """What we mend ourselves."""
        self._log(logging.WARNING, message, fields)

    def error(self, message: str, /, **fields: object) -> None:
        """What a person has to mend."""
        self._log(logging.ERROR, message, fields)

    def bug(self, message: str, /, **fields: object) -> None:
        """The exception being handled should not exist."""
        self._log(logging.ERROR, message, fields, exc_info=True)

    def warning_throttled(self, key: str, message: str, /, *, every: float = 60.0, **fields: object) -> None:
        """A warning, at most once in ``every`` seconds for each ``key``: for what may come in floods.

        ``key`` is one of a bounded set.
        """
        now = time.monotonic()
        with self._lock:
            if now - self._last.get(key, -every) < every:
                return
            self._last[key] = now
        self._log(logging.WARNING, message, fields)


def configure_logging(level: str, style: str, out: TextIO | None = None) -> None:
    """Send the log of the whole process to ``out`` (standard error): ``level`` and above, as ``style``."""
    handler = logging.StreamHandler(out or sys.stderr)
    handler.setFormatter(_Formatter(jsonline if style == "json" else logfmt))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("pf_exporter").setLevel({"warn": "WARNING"}.get(level, level.upper()))
