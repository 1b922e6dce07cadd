"""The keys of an account in a file, with their environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from pf_exporter.config.types import (
    BOOLEAN,
    NAME,
    NO_PROXY,
    PATH,
    PROXY_URL,
    SECRET,
    URL,
    UUID,
    SettingType,
    integer_from,
    list_of,
)


class KeySpec(NamedTuple):
    """One key of an account or a stream."""

    name: str
    type: SettingType[Any]
    help: str
    default: str = ""
    variable: str = ""
    """The environment variable for the key; empty if it has none."""


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
