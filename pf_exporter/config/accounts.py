"""Accounts, the streams they subscribe to, and the keys that describe both in a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pf_exporter.config.secrets import SecretSource
from pf_exporter.config.types import (
    BOOLEAN,
    EVENT,
    NAME,
    NO_PROXY,
    PATH,
    PORT,
    PROXY_URL,
    SECRET,
    URL,
    UUID,
    VC,
    SettingType,
    choice,
    integer_from,
    list_of,
)
from pf_exporter.schema import SUBSCRIBABLE_EVENTS


@dataclass(frozen=True)
class KeySpec:
    """One key of an account or a stream."""

    name: str
    type: SettingType[Any]
    help: str
    default: str = ""
    variable: str = ""
    """The environment variable for the key; empty if it has none."""


SELECTORS = {"port": "ifds", "vc": "vcs"}
"""The key that selects circuits, by the type of the stream."""

STREAM_KEYS = (
    KeySpec("type", choice(*SUBSCRIBABLE_EVENTS), "Type of the events (required)."),
    KeySpec("events", list_of(EVENT), "Events of this type to subscribe to.", "all of them"),
    KeySpec("ifds", list_of(PORT), "Ports to subscribe to, for type port.", "all of them"),
    KeySpec("vcs", list_of(VC), "Ends of virtual circuits to subscribe to, for type vc.", "all of them"),
)
"""The keys of an entry under ``streams``."""

CREDENTIALS = ("token", "login", "password")
"""The credentials of an account; each has a key of its name and one with the suffix ``_file``."""

ACCOUNT_KEYS = (
    KeySpec("name", NAME, "Value of the `account` label; must be unique.", "default"),
    KeySpec(
        "api_url",
        URL,
        "Base URL of the API; http is allowed only on loopback.",
        "https://api.packetfabric.com",
        "PF_HOST",
    ),
    KeySpec("token", SECRET, "API key.", "", "PF_TOKEN"),
    KeySpec("token_file", PATH, "File that contains the API key.", "", "PF_TOKEN_FILE"),
    KeySpec("login", SECRET, "User name, as an alternative to an API key.", "", "PF_USER"),
    KeySpec("login_file", PATH, "File that contains the user name.", "", "PF_USER_FILE"),
    KeySpec("password", SECRET, "Password of the user.", "", "PF_PASSWORD"),
    KeySpec("password_file", PATH, "File that contains the password.", "", "PF_PASSWORD_FILE"),
    KeySpec("on_behalf", UUID, "Customer to act on behalf of, for resellers.", "", "PF_ON_BEHALF"),
    KeySpec("ca_file", PATH, "CA certificates (PEM) to trust instead of the default ones."),
    KeySpec(
        "proxy_url",
        PROXY_URL,
        "HTTP proxy to reach the API through, without user and password.",
        "no proxy",
        "PF_PROXY_URL",
    ),
    KeySpec(
        "proxy_url_file",
        PATH,
        "File that contains the URL of the proxy, such as http://USER:PASSWORD@HOST:PORT.",
        "",
        "PF_PROXY_URL_FILE",
    ),
    KeySpec(
        "proxy_from_environment",
        BOOLEAN,
        "Whether to use the proxy that `HTTPS_PROXY` and `NO_PROXY` name.",
        "false",
        "PF_PROXY_FROM_ENVIRONMENT",
    ),
    KeySpec(
        "no_proxy",
        list_of(NO_PROXY),
        "Hosts, domains and networks to reach without the proxy.",
        "",
        "PF_NO_PROXY",
    ),
    KeySpec(
        "series_limit",
        integer_from(1),
        "Maximum number of series of this account, reserved for it within `series.limit`; without it the"
        " account has an equal share of the rest, and may use more while other accounts need less.",
    ),
)
"""The keys of an entry under ``accounts``, except ``streams``."""

VARIABLES: Mapping[str, str] = MappingProxyType(
    {key.name: key.variable for key in ACCOUNT_KEYS if key.variable}
)
"""The environment variables of the account's keys that have one."""


@dataclass(frozen=True)
class StreamFilter:
    """The events of one type to subscribe to; empty ``events`` or ``selectors`` mean all."""

    type: str
    events: tuple[str, ...] = ()
    selectors: tuple[str, ...] = ()

    def request(self) -> dict[str, str | list[str]]:
        """The item of ``streams`` in the API's request; it omits what is empty, and contains no null."""
        item: dict[str, str | list[str]] = {"type": self.type}
        if self.events:
            item["events"] = list(self.events)
        if self.selectors:
            item[SELECTORS[self.type]] = list(self.selectors)
        return item


@dataclass(frozen=True)
class Account:
    """One account at PacketFabric: either ``token``, or ``login`` and ``password``."""

    name: str = "default"
    api_url: str = "https://api.packetfabric.com"
    """Without a trailing slash."""
    token: SecretSource | None = None
    login: SecretSource | None = None
    password: SecretSource | None = None
    on_behalf: str | None = None
    ca_file: str | None = None
    proxy_url: SecretSource | None = None
    proxy_from_environment: bool = False
    no_proxy: tuple[str, ...] = ()
    series_limit: int | None = None
    is_from_environment: bool = field(default=False, compare=False)
    streams: tuple[StreamFilter, ...] = tuple(StreamFilter(type_) for type_ in SUBSCRIBABLE_EVENTS)

    def in_own_terms(self, text: str) -> str:
        """A text with the names of variables instead of keys if the account comes from the environment.

        >>> Account(is_from_environment=True).in_own_terms("check api_url")
        'check PF_HOST'
        """
        if not self.is_from_environment:
            return text
        names = "|".join(name for name in VARIABLES if "_" in name)  # The others are ordinary words, too.
        return re.sub(rf"\b({names})\b", lambda match: VARIABLES[match[0]], text)
