"""The log: one line per event on standard error, with the keys that Prometheus' own programs use.

Logging never blocks its thread, and never writes the text of an unexpected exception.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.lazy import lazy_names

if TYPE_CHECKING:
    from pf_exporter.log.handler import LogHandler, configure_logging, dropped_lines, flush_logging, report
    from pf_exporter.log.logger import Logger
    from pf_exporter.log.throttle import Throttle
else:  # Need the standard library's logging.
    __getattr__ = lazy_names(
        __name__,
        {
            "handler": ("LogHandler", "configure_logging", "dropped_lines", "flush_logging", "report"),
            "logger": ("Logger",),
            "throttle": ("Throttle",),
        },
    )

__all__ = [
    "LogHandler",
    "Logger",
    "Throttle",
    "configure_logging",
    "dropped_lines",
    "flush_logging",
    "report",
]
