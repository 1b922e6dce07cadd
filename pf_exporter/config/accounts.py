"""Accounts, and the filters of their subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pf_exporter.config.secrets import SecretSource
from pf_exporter.config.types import (
    EVENT,
    NAME,
    PATH,
    PORT,
    SECRET,
    URL,
    UUID,
    VC,
    SettingType,
    choice,
    list_of,
)

# Accounts and streams


@dataclass(frozen=True)
class Key:
    """One key of an account or of a stream; ``variable`` is its name in the environment, if it has one."""

    name: str
    kind: SettingType[Any]
    help: str
    default: str = ""
    variable: str = ""


SUBSCRIBABLE_EVENTS: dict[str, Sequence[str]] = {
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
    Key("type", choice(*SUBSCRIBABLE_EVENTS), "What the events are about; required."),
    Key("events", list_of(EVENT), "The events wanted, of those of the type.", "all of them"),
    Key("ifds", list_of(PORT), "With type port: the ports wanted.", "all of them"),
    Key("vcs", list_of(VC), "With type vc: the ends of virtual circuits wanted.", "all of them"),
)
"""The keys of an entry under ``streams``."""

CREDENTIALS = ("token", "login", "password")
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
    streams: tuple[StreamFilter, ...] = tuple(StreamFilter(kind) for kind in SUBSCRIBABLE_EVENTS)
