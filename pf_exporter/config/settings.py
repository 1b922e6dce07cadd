"""The table of settings, one row each, and the frozen values that result.

A new setting is one row in the dataclass of its section. The row yields its key in the file, its flag, its
environment variable, its default, its validation, its help and documentation, and the typed attribute.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from pf_exporter.config.log_settings import LogSettings
from pf_exporter.config.remote_write import RemoteWriteSettings
from pf_exporter.config.setting import Setting, setting
from pf_exporter.config.tag_keys import TAG_KEYS
from pf_exporter.config.types import (
    ADDRESS,
    BOOLEAN,
    PATH,
    RATE_UNIT,
    ROUTE,
    TEMPORALITY,
    ZONE,
    duration_from,
    integer_from,
    list_of,
    or_empty,
    size_from,
)
from pf_exporter.schema import RateUnit, Temporality

if TYPE_CHECKING:
    from pf_exporter.config.accounts import Account


@dataclass(frozen=True)
class StreamSettings:
    """The event stream's timeouts and retries, in seconds."""

    idle_timeout: float = setting(
        duration_from("20s"), "2m", "Reconnect if no byte arrives for this long, heartbeats included."
    )
    rotate_after: float = setting(
        duration_from("1m", or_off=True), "115m", "Replace a stream at this age; 0 disables rotation."
    )
    backoff_min: float = setting(duration_from("100ms"), "1s", "Minimum delay between retries.")
    backoff_max: float = setting(duration_from("1s"), "1m", "Maximum delay between retries.")


@dataclass(frozen=True)
class SeriesSettings:
    """The bounds of the series in memory; ``ttl`` is in seconds."""

    ttl: float = setting(duration_from("1m"), "10m", "Remove series that receive no event for this long.")
    limit: int = setting(
        integer_from(1), "500000", "Maximum number of series; new ones above it are dropped."
    )


@dataclass(frozen=True)
class CounterSettings:
    """The temporality of counts in events: running totals (cumulative) or increments (delta)."""

    port_errors: Temporality = setting(
        TEMPORALITY, "cumulative", "Temporality of the counts in port errors events."
    )
    port_etherstats: Temporality = setting(
        TEMPORALITY, "cumulative", "Temporality of the counts in port etherstats events."
    )


@dataclass(frozen=True)
class UnitSettings:
    """The units of the API's numbers, where its documentation leaves a doubt."""

    rates: RateUnit = setting(
        RATE_UNIT, "bits", "Unit of the fields in events whose names end in bps: bits or bytes per second."
    )


@dataclass(frozen=True)
class InventorySettings:
    """The polled resources; ``interval`` is in seconds."""

    interval: float = setting(
        duration_from("1m", or_off=True),
        "5m",
        "Interval between polls of the inventory; 0 disables all polling.",
    )
    description_tags: tuple[str, ...] = setting(
        TAG_KEYS,
        "",
        "Keys of [key=value] tags in descriptions to add as labels to the info metrics.",
    )
    requests_per_minute: int = setting(
        integer_from(10), "60", "Maximum number of polling requests per minute, for each account."
    )
    cloud_router_connections: bool = setting(
        BOOLEAN, "false", "Also poll cloud router connections, which are not streamed, and their rates."
    )
    maintenance_timezone: str = setting(
        ZONE,
        "UTC",
        "Time zone of PacketFabric's maintenance times, which have no zone in the API; UTC is an assumption.",
    )
    optics: bool = setting(
        BOOLEAN, "false", "Also poll thresholds, temperature and voltage of optical modules, and last flaps."
    )
    bgp_routes: bool = setting(
        BOOLEAN, "false", "Also poll the number of BGP routes of cloud router connections."
    )
    bgp_log: bool = setting(
        BOOLEAN, "false", "Also count state changes in the BGP logs of cloud router connections."
    )
    cloud_state: bool = setting(
        BOOLEAN, "false", "Also poll the state on the cloud provider's side of connections."
    )
    contract: bool = setting(
        BOOLEAN, "false", "Also poll contract end dates and flex bandwidth; prices are never read."
    )
    labels: bool = setting(BOOLEAN, "false", "Also poll the labels of circuits in the portal.")


@dataclass(frozen=True)
class ActivitySettings:
    """The activity log; in seconds."""

    catch_up: float = setting(
        duration_from("1m", or_off=True),
        "10m",
        "Count entries that the stream missed, beginning this long before the start; 0 disables this.",
    )


@dataclass(frozen=True)
class WebSettings:
    """The HTTP server."""

    listen_address: tuple[str, ...] = setting(
        list_of(ADDRESS), ":10054", "Address to listen on; can be repeated."
    )
    systemd_socket: bool = setting(
        BOOLEAN, "false", "Listen on the sockets that systemd passes, instead of the listen addresses."
    )
    telemetry_path: str = setting(ROUTE, "/metrics", "Path under which to expose metrics.")
    disable_exporter_metrics: bool = setting(
        BOOLEAN, "false", "Exclude metrics about the exporter's own process."
    )
    config_file: str = setting(
        or_empty(PATH),
        "",
        "File with TLS, users, headers and the rate limit; see docs/web.md.",
        flag="--web.config.file",
    )
    max_requests: int = setting(
        integer_from(0),
        "40",
        "Maximum number of concurrent requests; 0 disables the limit.",
    )
    enable_lifecycle: bool = setting(BOOLEAN, "false", "Enable reloading with POST /-/reload.")
    event_timestamps: bool = setting(
        BOOLEAN,
        "false",
        "Export samples from the stream with the timestamp of their event; see docs/web.md.",
    )
    open_health: bool = setting(BOOLEAN, "false", "Serve /-/healthy and /-/ready without authentication.")


@dataclass(frozen=True)
class RecordSettings:
    """The recording of the streams, for replay and for reports."""

    file: str = setting(
        or_empty(PATH),
        "",
        "Record the streams to this file, for pf-exporter replay.",
        former_flag="--stream.record",
    )
    limit: int = setting(size_from("1MiB"), "64MiB", "Uncompressed size at which the recording is rotated.")
    kept: int = setting(integer_from(1), "3", "Number of rotated files to keep, as FILE.1 and so on.")
    redact: bool = setting(
        BOOLEAN, "true", "Replace names, addresses, messages and circuit IDs in the recording."
    )


SECTIONS: dict[str, type[Any]] = {
    "stream": StreamSettings,
    "series": SeriesSettings,
    "counters": CounterSettings,
    "units": UnitSettings,
    "inventory": InventorySettings,
    "activity": ActivitySettings,
    "web": WebSettings,
    "record": RecordSettings,
    "remote_write": RemoteWriteSettings,
    "log": LogSettings,
}
"""The sections of the file; each is an attribute of :class:`Config`."""

SETTINGS: tuple[Setting, ...] = tuple(
    Setting(f"{section}.{row.name}", **row.metadata)
    for section, cls in SECTIONS.items()
    for row in fields(cls)
)
"""Every setting, in the order of the documentation."""

_TYPES = {row.key: row.type for row in SETTINGS}


@dataclass(frozen=True)
class Config:
    """The whole configuration; durations are in seconds, ``warnings`` are lines for the log."""

    accounts: tuple[Account, ...]
    stream: StreamSettings = StreamSettings()
    series: SeriesSettings = SeriesSettings()
    counters: CounterSettings = CounterSettings()
    units: UnitSettings = UnitSettings()
    inventory: InventorySettings = InventorySettings()
    activity: ActivitySettings = ActivitySettings()
    web: WebSettings = WebSettings()
    record: RecordSettings = RecordSettings()
    remote_write: RemoteWriteSettings = RemoteWriteSettings()  # noqa: RUF009  # it is frozen
    log: LogSettings = LogSettings()  # noqa: RUF009  # it is frozen
    endpoints: tuple[RemoteWriteSettings, ...] = ()
    """Those of a list in the file, or else ``remote_write`` if it has a URL."""
    warnings: tuple[str, ...] = ()

    def value(self, key: str) -> Any:
        """The value of a setting by its dotted key."""
        section, name = key.split(".")
        return getattr(getattr(self, section), name)

    def text(self, key: str) -> str:
        """The value of a setting by its dotted key, as a user would enter it: ``115m``, ``64MiB``."""
        return _TYPES[key].format(self.value(key))
