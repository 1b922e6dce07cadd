"""Accounts, and the streams they subscribe to."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from pf_exporter.config.account_keys import VARIABLES, KeySpec
from pf_exporter.config.secrets import SecretSource
from pf_exporter.config.types import EVENT, PORT, VC, choice, list_of
from pf_exporter.schema import SUBSCRIBABLE_EVENTS

SELECTORS = {"port": "ifds", "vc": "vcs"}
"""The key that selects circuits, by the type of the stream."""

STREAM_KEYS = (
    KeySpec("type", choice(*SUBSCRIBABLE_EVENTS), "Type of the events (required)."),
    KeySpec("events", list_of(EVENT), "Events of this type to subscribe to.", "all of them"),
    KeySpec("ifds", list_of(PORT), "Ports to subscribe to, for type port.", "all of them"),
    KeySpec("vcs", list_of(VC), "Ends of virtual circuits to subscribe to, for type vc.", "all of them"),
)
"""The keys of an entry under ``streams``."""


class StreamFilter(NamedTuple):
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

    @property
    def selected_circuits(self) -> tuple[str, ...]:
        """The IDs of all ports and virtual circuits that its streams name; empty if they take all."""
        selectors = (selector for stream in self.streams for selector in stream.selectors)
        return tuple(circuit for selector in selectors for circuit in selector.split("&"))

    def in_own_terms(self, text: str) -> str:
        """A text with the names of variables instead of keys if the account comes from the environment.

        >>> Account(is_from_environment=True).in_own_terms("check api_url")
        'check PF_HOST'
        """
        if not self.is_from_environment:
            return text
        names = "|".join(name for name in VARIABLES if "_" in name)  # The others are ordinary words, too.
        return re.sub(rf"\b({names})\b", lambda match: VARIABLES[match[0]], text)
