"""What can be set, one row for each setting, and the frozen values that come of it.

A new setting is one row in the dataclass of its section. From the row come its key in the file, its flag, its
variable, the help and the documentation of it, its default, its check and the typed attribute.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from pf_exporter.kinds import (
    ADDRESS,
    BOOLEAN,
    COUNTERS,
    DURATION,
    EVENT,
    NAME,
    PATH,
    PORT,
    ROUTE,
    SECRET,
    URL,
    UUID,
    VC,
    Kind,
    choice,
    lasting,
    matching,
    several,
    whole,
)
from pf_exporter.listings import LISTINGS
from pf_exporter.secret import SecretSource

T = TypeVar("T")


@dataclass(frozen=True)
class Setting:
    """One row: the dotted key in the file, how it is read, the default as one would write it, the help."""

    key: str
    kind: Kind[Any]
    default: str
    help: str
    usual_flag: str = ""
    """The flag that Prometheus' own exporters have for it, where that is another."""

    @property
    def flag(self) -> str:
        """The same on the command line, such as ``--stream.idle-timeout``."""
        return self.usual_flag or "--" + self.key.replace("_", "-")

    @property
    def variable(self) -> str:
        """The same in the environment, such as ``PF_EXPORTER_STREAM_IDLE_TIMEOUT``."""
        return "PF_EXPORTER_" + self.key.replace(".", "_").upper()


def _row(kind: Kind[T], default: str, help: str, flag: str = "") -> T:
    # To a type checker the attribute is what its kind makes of the text.
    row = {"kind": kind, "default": default, "help": help, "usual_flag": flag}
    return field(default=kind.parse(default), metadata=row)


@dataclass(frozen=True)
class StreamSettings:
    """How the event stream is kept open; seconds."""

    idle_timeout: float = _row(DURATION, "120s", "Reconnect after this long without a byte.")
    rotate_after: float = _row(lasting("1s", or_off=True), "115m", "Reopen a stream this old; 0 is off.")
    backoff_min: float = _row(DURATION, "1s", "Wait about this long before the first retry.")
    backoff_max: float = _row(DURATION, "60s", "Wait at most this long between retries.")


@dataclass(frozen=True)
class SeriesSettings:
    """Which series are kept in memory."""

    ttl: float = _row(DURATION, "10m", "Drop what has had no event for this long.")
    limit: int = _row(whole("series"), "500000", "Keep at most this many; refuse new ones above it.")


@dataclass(frozen=True)
class CounterSettings:
    """What the counts in events are: running totals or increments."""

    port_errors: str = _row(COUNTERS, "cumulative", "What the counts in port errors are.")
    port_etherstats: str = _row(COUNTERS, "cumulative", "What the counts in port etherstats are.")


TAGS_LIMIT = 16
"""Most keys of tags that become labels."""

TAKEN = {label for listing in LISTINGS for label in listing.info.labels} | {"job", "instance"}
"""Labels that the info families have already, or that Prometheus adds."""


LABEL = matching("(?!__)[A-Za-z_][A-Za-z0-9_]{0,63}", "KEY", "the name of a label, such as env")


def _tags(text: str) -> tuple[str, ...]:
    if not text:
        return ()
    names = several(LABEL).parse(text)
    if len(names) > TAGS_LIMIT:
        raise ValueError(f"expected at most {TAGS_LIMIT}")
    if TAKEN.intersection(names):
        raise ValueError(f"expected no label that is there already: {', '.join(sorted(TAKEN))}")
    return names


@dataclass(frozen=True)
class InventorySettings:
    """The lists of ports, virtual circuits and cloud router connections; seconds."""

    interval: float = _row(lasting("60s", or_off=True), "5m", "Fetch the lists this often; 0 is off.")
    description_tags: tuple[str, ...] = _row(
        Kind(_tags, "KEY", repeatable=True),
        "",
        "Make labels of the info metrics of these keys, where a description says [key=value].",
    )
    cloud_router_connections: bool = _row(
        BOOLEAN, "false", "Also poll cloud router connections, which are not streamed, and their rates."
    )


def _requests(text: str) -> int:
    return 0 if text == "0" else whole("requests").parse(text)


@dataclass(frozen=True)
class WebSettings:
    """The HTTP server."""

    listen_address: tuple[str, ...] = _row(several(ADDRESS), ":10054", "Listen here; can be repeated.")
    telemetry_path: str = _row(ROUTE, "/metrics", "Serve the metrics under this path.")
    disable_exporter_metrics: bool = _row(BOOLEAN, "false", "Leave out the metrics of the process itself.")
    config_file: str = _row(
        Kind(lambda text: PATH.parse(text) if text else "", "PATH"),
        "",
        "Read TLS, users, headers and the rate limit from this file; see docs/web.md.",
        "--web.config.file",
    )
    max_requests: int = _row(
        Kind(_requests, "NUMBER", "requests"), "40", "Answer at most this many at once; 0 is no limit."
    )
    enable_lifecycle: bool = _row(BOOLEAN, "false", "Allow POST /-/reload.")
    open_health: bool = _row(BOOLEAN, "false", "Answer /-/healthy and /-/ready without a user.")


@dataclass(frozen=True)
class RecordSettings:
    """A recording of the streams, for replay and reports."""

    file: str = _row(
        Kind(lambda text: PATH.parse(text) if text else "", "PATH"),
        "",
        "Record the streams to this file, for pf-exporter replay.",
        "--stream.record",
    )
    limit: int = _row(whole("bytes"), "67108864", "Begin a new file when it is this large.")
    kept: int = _row(whole("files"), "3", "Keep this many old files, as FILE.1 and so on.")
    redact: bool = _row(BOOLEAN, "true", "Replace names, addresses, messages and circuit IDs in it.")


ACTIVITY_FIELDS = ("category", "log_level", "event", "message", "user", "ip_address")
"""What an entry of the activity log may be logged with; the last three are personal data."""


@dataclass(frozen=True)
class LogSettings:
    """What is written to standard error."""

    level: str = _row(choice("debug", "info", "warn", "error"), "info", "Write this level and above.")
    format: str = _row(choice("logfmt", "json"), "logfmt", "Write messages in this form.")
    activity_fields: tuple[str, ...] = _row(
        several(choice(*ACTIVITY_FIELDS)),
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


# Accounts and streams


@dataclass(frozen=True)
class Key:
    """One key of an account or of a stream; ``variable`` is its name in the environment, if it has one."""

    name: str
    kind: Kind[Any]
    help: str
    default: str = ""
    variable: str = ""


EVENTS: dict[str, Sequence[str]] = {
    "port": ("errors", "etherstats", "metrics", "optical"),
    "vc": ("metrics",),
    "customer": (
        "auth", "bgp", "cloud_connection", "cloud_router", "document", "lag_interface",
        "logical_interface", "physical_interface", "outbound_cross_connect", "point_to_point", "rate_limit",
        "user", "virtual_circuit",
    ),
}  # fmt: skip
"""What a stream of each type may ask for."""

SELECTORS = {"port": "ifds", "vc": "vcs"}
"""The key by which a stream of a type picks circuits."""

STREAM_KEYS = (
    Key("type", choice(*EVENTS), "What the events are about; required."),
    Key("events", several(EVENT), "The events wanted, of those of the type.", "all of them"),
    Key("ifds", several(PORT), "With type port: the ports wanted.", "all of them"),
    Key("vcs", several(VC), "With type vc: the ends of virtual circuits wanted.", "all of them"),
)
"""The keys of an entry under ``streams``."""

NOUNS = ("token", "login", "password")
"""The parts of credentials; each has a key of its own and one with ``_file``."""

ACCOUNT_KEYS = (
    Key("name", NAME, "The `account` label of its metrics; unique.", "default"),
    Key(
        "api_url", URL, "Where the API is; http only on loopback.", "https://api.packetfabric.com", "PF_HOST"
    ),
    Key("token", SECRET, "An API key.", "", "PF_TOKEN"),
    Key("token_file", PATH, "A file with the API key.", "", "PF_TOKEN_FILE"),
    Key("login", SECRET, "A user name, in place of an API key.", "", "PF_USER"),
    Key("login_file", PATH, "A file with the user name.", "", "PF_USER_FILE"),
    Key("password", SECRET, "The user's password.", "", "PF_PASSWORD"),
    Key("password_file", PATH, "A file with the password.", "", "PF_PASSWORD_FILE"),
    Key("on_behalf", UUID, "For resellers: the customer to act for.", "", "PF_ON_BEHALF"),
    Key("ca_file", PATH, "Certificates (PEM) to trust in place of the usual ones."),
)
"""The keys of an entry under ``accounts``, apart from ``streams``."""


@dataclass(frozen=True)
class StreamFilter:
    """Events to subscribe to; empty ``events`` or ``selectors`` stand for all of them."""

    type: str
    events: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()

    def request(self) -> dict[str, str | list[str]]:
        """The item of ``streams`` in the API's request; what is not asked for is left out, never null."""
        item: dict[str, str | list[str]] = {"type": self.type}
        if self.events:
            item["events"] = list(self.events)
        if self.selectors:
            item[SELECTORS[self.type]] = list(self.selectors)
        return item


@dataclass(frozen=True)
class Account:
    """One login at PacketFabric: either ``token``, or ``login`` and ``password``."""

    name: str = "default"
    api_url: str = "https://api.packetfabric.com"
    """Without a slash at its end."""
    token: SecretSource | None = None
    login: SecretSource | None = None
    password: SecretSource | None = None
    on_behalf: str | None = None
    ca_file: str | None = None
    streams: tuple[StreamFilter, ...] = tuple(StreamFilter(kind) for kind in EVENTS)


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
