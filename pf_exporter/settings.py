"""What can be set, one row for each setting, and the frozen values that come of it.

A new setting is one row in the dataclass of its section. From the row come its key in the file, its flag, its
variable, the help and the documentation of it, its default, its check and the typed attribute.
"""

from __future__ import annotations

import ipaddress
import os
import re
import stat
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import urlsplit

from pf_exporter.errors import ConfigError

T = TypeVar("T")

SECRET_LIMIT = 64 * 1024
"""Largest secret file, in bytes."""


# Secrets


class Secret:
    """Text that shows itself as ``<secret>``; only :meth:`reveal` gives it away.

    Pickled, copied or put through ``dataclasses.asdict`` it turns into the plain text ``<secret>``.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def read(self) -> Secret:
        """Itself: a secret is its own source."""
        return self

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Secret) else NotImplemented

    def __repr__(self) -> str:
        return "<secret>"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


@dataclass(frozen=True)
class SecretFile:
    """A secret that lives in a file and is read anew each time, so that it can change while we run."""

    path: str
    where: str = field(compare=False)
    """The key or variable that names the file, for error messages, which never show the path."""

    def read(self) -> Secret:
        """The secret as it is now; raises :class:`ConfigError` with one line."""
        return self.examine()[0]

    def examine(self) -> tuple[Secret, int]:
        """The secret and the file's permission bits; raises :class:`ConfigError` with one line."""
        try:
            return _stored(self.path)
        except ValueError as exc:
            fault = str(exc)
        # Raised out here, where no local variable and no chained exception holds what was read.
        raise ConfigError([f"{self.where}: {fault}"])


def _stored(path: str) -> tuple[Secret, int]:
    text, mode = read_file(path, SECRET_LIMIT)
    return secret(text), mode


SecretSource: TypeAlias = Secret | SecretFile
"""Where a secret comes from: ``read()`` at each login."""


def read_file(path: str, limit: int) -> tuple[str, int]:
    """Text and permission bits of a regular UTF-8 file of at most ``limit`` bytes.

    ValueError says why not, without the path and without any of the content.
    """
    try:
        # Without O_NONBLOCK a FIFO would keep us waiting for a writer.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise ValueError("the file is not a regular file")
            content = file.read(limit + 1)
    except OSError as exc:
        raise ValueError(f"the file cannot be read: {exc.strerror or 'I/O error'}") from None
    if len(content) > limit:
        raise ValueError(f"the file is larger than {limit // 1024} KiB")
    try:
        return content.decode(), stat.S_IMODE(mode)
    except UnicodeDecodeError:
        raise ValueError("the file is not UTF-8 text") from None


# Kinds: how text becomes a value


@dataclass(frozen=True)
class Kind(Generic[T]):
    """How text becomes a value; ``parse`` raises ValueError with what it expected, never with the text."""

    parse: Callable[[str], T]
    metavar: str
    unit: str = ""
    repeatable: bool = False
    """Whether a list is meant: several flags, a list in the file, commas in a variable."""


def duration(text: str) -> float:
    """Seconds in ``90s``, ``1h30m``, ``500ms``, or a plain number, which is seconds; at most 365 days.

    >>> duration("1h30m"), duration("0.5")
    (5400.0, 0.5)
    """
    units = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
    parts = "".join(rf"(?:([0-9]{{1,9}}){unit})?" for unit in units)
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        seconds = float(text)
    elif text and (match := re.fullmatch(parts, text)):
        amounts = zip(match.groups("0"), units.values(), strict=True)
        seconds = sum(int(amount) * unit for amount, unit in amounts) / 1000
    else:
        raise ValueError("expected a duration, such as 90s, 10m, 1h30m or 500ms")
    if seconds > 365 * 86_400:
        raise ValueError("expected a duration of at most 365d")
    return seconds


def lasting(at_least: str, *, or_off: bool = False) -> Kind[float]:
    """Durations from ``at_least`` up and, with ``or_off``, 0."""

    def parse(text: str) -> float:
        seconds = duration(text)
        if seconds < duration(at_least) and not (or_off and seconds == 0):
            raise ValueError(f"expected a duration of at least {at_least}{', or 0 for off' * or_off}")
        return seconds

    return Kind(parse, "DURATION", "seconds")


def whole(unit: str) -> Kind[int]:
    """Whole numbers from 1 up."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
            raise ValueError("expected a whole number from 1 to 999999999")
        return int(text)

    return Kind(parse, "NUMBER", unit)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("expected true or false")
    return text.lower() == "true"


def choice(*words: str) -> Kind[str]:
    """One of the words."""
    return matching("|".join(words), "|".join(words), f"one of {', '.join(words)}")


def matching(pattern: str, metavar: str, expected: str) -> Kind[str]:
    """Text that all of the pattern (ASCII) fits."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(f"expected {expected}")
        return text

    return Kind(parse, metavar)


def several(kind: Kind[str]) -> Kind[tuple[str, ...]]:
    """A list of them, at least one, each once."""

    def parse(text: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        items = [item.strip() for item in text.split(",") if item.strip()]
        for number, item in enumerate(items, 1):
            try:
                found[kind.parse(item)] = None
            except ValueError as exc:
                raise ValueError(f"item {number}: {exc}") from None
        if not found:
            raise ValueError("expected at least one; leave it out for the default")
        return tuple(found)

    return Kind(parse, kind.metavar, repeatable=True)


def secret(text: str) -> Secret:
    """A secret out of text as people store it: one newline at its end does not belong to it."""
    text = text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")
    if not text:
        raise ValueError("the secret is empty")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in text):
        raise ValueError("the secret has a line break or another control character inside; keep one line")
    return Secret(text)


def _api_url(text: str) -> str:
    url = text if "://" in text else f"https://{text}"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        if "[" in parts.netloc or not re.fullmatch(r"[A-Za-z0-9._-]+", host):
            ipaddress.IPv6Address(host)
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("https", "http") or not re.fullmatch(r"[!-~]+", text):
        raise ValueError("expected a URL, such as https://api.packetfabric.com")
    if "@" in parts.netloc or "?" in text or "#" in text or "\\" in text:
        raise ValueError("expected a URL without user, password, query or fragment")
    if parts.scheme == "http" and not _loopback(host):
        raise ValueError("http would send the credentials in clear; use https")
    return url.rstrip("/")


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


BOOLEAN = Kind(_boolean, "true|false")
DURATION = lasting("1ms")
COUNTERS = choice("cumulative", "delta")
URL = Kind(_api_url, "URL")
SECRET = Kind(secret, "SECRET")
PATH = matching(r"[^\x00-\x1f\ud800-\udfff]+", "PATH", "a path")
NAME = matching("[A-Za-z0-9_.-]{1,64}", "NAME", "1 to 64 letters, digits, dots, - or _")
UUID = matching("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}", "UUID", "a UUID")
ADDRESS = matching(
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*):[0-9]{1,5}", "ADDRESS", "HOST:PORT, [IPV6]:PORT or :PORT"
)
ROUTE = matching(r"(?!/-(/|$))(/\w[\w.~-]*|/-)+", "ROUTE", "a path such as /metrics, but not / or /-/…")
EVENT = matching("[a-z_]+", "EVENT", "the name of an event, such as metrics")
PORT = matching(r"[\w.:-]+", "PORT", "a port's circuit ID, such as PF-AP-LAX1-1234")
VC = matching(r"[\w.:-]+&[\w.:-]+", "VC&PORT", "the IDs of a circuit and of a port, with one & between")


# Settings


@dataclass(frozen=True)
class Setting:
    """One row: the dotted key in the file, how it is read, the default as one would write it, the help."""

    key: str
    kind: Kind[Any]
    default: str
    help: str

    @property
    def flag(self) -> str:
        """The same on the command line, such as ``--stream.idle-timeout``."""
        return "--" + self.key.replace("_", "-")

    @property
    def variable(self) -> str:
        """The same in the environment, such as ``PF_EXPORTER_STREAM_IDLE_TIMEOUT``."""
        return "PF_EXPORTER_" + self.key.replace(".", "_").upper()


def _row(kind: Kind[T], default: str, help: str) -> T:
    # To a type checker the attribute is what its kind makes of the text.
    row = {"kind": kind, "default": default, "help": help}
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


@dataclass(frozen=True)
class InventorySettings:
    """The lists of ports and virtual circuits; seconds."""

    interval: float = _row(lasting("60s", or_off=True), "5m", "Fetch the lists this often; 0 is off.")


@dataclass(frozen=True)
class WebSettings:
    """The HTTP server."""

    listen_address: tuple[str, ...] = _row(several(ADDRESS), ":10054", "Listen here; can be repeated.")
    telemetry_path: str = _row(ROUTE, "/metrics", "Serve the metrics under this path.")
    disable_exporter_metrics: bool = _row(BOOLEAN, "false", "Leave out the metrics of the process itself.")


@dataclass(frozen=True)
class LogSettings:
    """What is written to standard error."""

    level: str = _row(choice("debug", "info", "warn", "error"), "info", "Write this level and above.")
    format: str = _row(choice("logfmt", "json"), "logfmt", "Write messages in this form.")


SECTIONS: dict[str, type[Any]] = {
    "stream": StreamSettings,
    "series": SeriesSettings,
    "counters": CounterSettings,
    "inventory": InventorySettings,
    "web": WebSettings,
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
    log: LogSettings = LogSettings()
    warnings: tuple[str, ...] = ()
