"""What can be set, one row for each setting, and the frozen values that come of it.

A new setting is one row in the dataclass of its section. From the row come its key in the file, its flag, its
variable, the help and the documentation of it, its default, its check and the typed attribute.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from pf_exporter.config.accounts import Account
from pf_exporter.config.setting import Setting, setting
from pf_exporter.config.types import (
    ADDRESS,
    BOOLEAN,
    COUNTERS,
    DURATION,
    PATH,
    ROUTE,
    SettingType,
    choice,
    list_of,
    matching,
    min_duration,
    whole,
)
from pf_exporter.schema import RESOURCES


@dataclass(frozen=True)
class StreamSettings:
    """How the event stream is kept open; seconds."""

    idle_timeout: float = setting(DURATION, "120s", "Reconnect after this long without a byte.")
    rotate_after: float = setting(
        min_duration("1s", or_off=True), "115m", "Reopen a stream this old; 0 is off."
    )
    backoff_min: float = setting(DURATION, "1s", "Wait about this long before the first retry.")
    backoff_max: float = setting(DURATION, "60s", "Wait at most this long between retries.")


@dataclass(frozen=True)
class SeriesSettings:
    """Which series are kept in memory."""

    ttl: float = setting(DURATION, "10m", "Drop what has had no event for this long.")
    limit: int = setting(whole("series"), "500000", "Keep at most this many; refuse new ones above it.")


@dataclass(frozen=True)
class CounterSettings:
    """What the counts in events are: running totals or increments."""

    port_errors: str = setting(COUNTERS, "cumulative", "What the counts in port errors are.")
    port_etherstats: str = setting(COUNTERS, "cumulative", "What the counts in port etherstats are.")


TAGS_LIMIT = 16
"""Most keys of tags that become labels."""

RESERVED_LABELS = {label for listing in RESOURCES for label in listing.info.labels} | {"job", "instance"}
"""Labels that the info families have already, or that Prometheus adds."""


LABEL = matching("(?!__)[A-Za-z_][A-Za-z0-9_]{0,63}", "KEY", "the name of a label, such as env")


def _tags(text: str) -> tuple[str, ...]:
    if not text:
        return ()
    names = list_of(LABEL).parse(text)
    if len(names) > TAGS_LIMIT:
        raise ValueError(f"expected at most {TAGS_LIMIT}")
    if RESERVED_LABELS.intersection(names):
        raise ValueError(f"expected no label that is there already: {', '.join(sorted(RESERVED_LABELS))}")
    return names


@dataclass(frozen=True)
class InventorySettings:
    """The lists of ports, virtual circuits and cloud router connections; seconds."""

    interval: float = setting(min_duration("60s", or_off=True), "5m", "Fetch the lists this often; 0 is off.")
    description_tags: tuple[str, ...] = setting(
        SettingType(_tags, "KEY", repeatable=True),
        "",
        "Make labels of the info metrics of these keys, where a description says [key=value].",
    )
    cloud_router_connections: bool = setting(
        BOOLEAN, "false", "Also poll cloud router connections, which are not streamed, and their rates."
    )


def _requests(text: str) -> int:
    return 0 if text == "0" else whole("requests").parse(text)


@dataclass(frozen=True)
class WebSettings:
    """The HTTP server."""

    listen_address: tuple[str, ...] = setting(list_of(ADDRESS), ":10054", "Listen here; can be repeated.")
    telemetry_path: str = setting(ROUTE, "/metrics", "Serve the metrics under this path.")
    disable_exporter_metrics: bool = setting(BOOLEAN, "false", "Leave out the metrics of the process itself.")
    config_file: str = setting(
        SettingType(lambda text: PATH.parse(text) if text else "", "PATH"),
        "",
        "Read TLS, users, headers and the rate limit from this file; see docs/web.md.",
        "--web.config.file",
    )
    max_requests: int = setting(
        SettingType(_requests, "NUMBER", "requests"), "40", "Answer at most this many at once; 0 is no limit."
    )
    enable_lifecycle: bool = setting(BOOLEAN, "false", "Allow POST /-/reload.")
    open_health: bool = setting(BOOLEAN, "false", "Answer /-/healthy and /-/ready without a user.")


@dataclass(frozen=True)
class RecordSettings:
    """A recording of the streams, for replay and reports."""

    file: str = setting(
        SettingType(lambda text: PATH.parse(text) if text else "", "PATH"),
        "",
        "Record the streams to this file, for pf-exporter replay.",
        "--stream.record",
    )
    limit: int = setting(whole("bytes"), "67108864", "Begin a new file when it is this large.")
    kept: int = setting(whole("files"), "3", "Keep this many old files, as FILE.1 and so on.")
    redact: bool = setting(BOOLEAN, "true", "Replace names, addresses, messages and circuit IDs in it.")


ACTIVITY_FIELDS = ("category", "log_level", "event", "message", "user", "ip_address")
"""What an entry of the activity log may be logged with; the last three are personal data."""


@dataclass(frozen=True)
class LogSettings:
    """What is written to standard error."""

    level: str = setting(choice("debug", "info", "warn", "error"), "info", "Write this level and above.")
    format: str = setting(choice("logfmt", "json"), "logfmt", "Write messages in this form.")
    activity_fields: tuple[str, ...] = setting(
        list_of(choice(*ACTIVITY_FIELDS)),
        "category,log_level,event",
        "Write these fields of the activity log's entries; message, user and ip_address are personal data.",
    )


SECTIONS: dict[str, type[Any]] = {
    "stream": StreamSettings,
    "series": SeriesSettings,
    "counters": CounterSettings,
    "inventory": InventorySettings,
    "web": WebSettings,
    "record": RecordSettings,
    "log": LogSettings,
}
"""The sections of the file; each is an attribute of :class:`Config`."""

SETTINGS: tuple[Setting, ...] = tuple(
    Setting(f"{section}.{row.name}", **row.metadata)
    for section, cls in SECTIONS.items()
    for row in fields(cls)
)
"""Every setting, in the order of the documentation."""


@dataclass(frozen=True)
class Config:
    """Everything that was set; durations in seconds. ``warnings`` are lines for the log."""

    accounts: tuple[Account, ...]
    stream: StreamSettings = StreamSettings()
    series: SeriesSettings = SeriesSettings()
    counters: CounterSettings = CounterSettings()
    inventory: InventorySettings = InventorySettings()
    web: WebSettings = WebSettings()
    record: RecordSettings = RecordSettings()
    log: LogSettings = LogSettings()
    warnings: tuple[str, ...] = ()

    def value(self, key: str) -> Any:
        """The value in force of a setting, by its dotted key."""
        section, name = key.split(".")
        return getattr(getattr(self, section), name)
