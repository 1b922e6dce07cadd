"""The settings of the log."""

from __future__ import annotations

from dataclasses import dataclass

from pf_exporter.config.setting import setting
from pf_exporter.config.types import LOG_LEVEL, choice, list_of
from pf_exporter.schema import PERSONAL_FIELDS

LOGGABLE_FIELDS = ("category", "log_level", "event", *PERSONAL_FIELDS)
"""The fields of activity log entries that may be logged."""


@dataclass(frozen=True)
class LogSettings:
    """The log on standard error."""

    level: str = setting(LOG_LEVEL, "info", "Log only messages of at least this level.")
    format: str = setting(choice("logfmt", "json"), "logfmt", "Output format of log messages.")
    activity_fields: tuple[str, ...] = setting(
        list_of(choice(*LOGGABLE_FIELDS)),
        "category,log_level,event",
        "Fields of activity log entries to log; message, user and ip_address are personal data.",
    )
