"""Subscriptions to events: the request body, and the subscription of streams it creates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pf_exporter.simulator.errors import BadRequest
from pf_exporter.simulator.events import Event

CATEGORIES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "customer": (
            "auth",
            "bgp",
            "cloud_connection",
            "cloud_router",
            "document",
            "lag_interface",
            "logical_interface",
            "physical_interface",
            "outbound_cross_connect",
            "point_to_point",
            "rate_limit",
            "user",
            "virtual_circuit",
        ),
        "port": ("errors", "etherstats", "metrics", "optical"),
        "vc": ("metrics",),
    }
)
"""The categories that a stream of each type can name in ``events``."""

# The field that selects circuits; a stream of type ``customer`` has none.
_SELECTORS = {"port": "ifds", "vc": "vcs"}

Stream = Mapping[str, object]
"""One item of ``streams``: ``type``, and optionally ``events`` and ``ifds`` or ``vcs``."""


@dataclass
class Subscription:
    """The result of one ``POST /v2/events``; ``created`` is in UNIX seconds."""

    uuid: str
    token: str
    created: float
    streams: tuple[Stream, ...]
    streamed: bool = False

    def includes(self, event: Event) -> bool:
        """Return whether at least one of the streams selects this event."""
        return any(_selects(stream, event) for stream in self.streams)

    def has_measurements(self) -> bool:
        """Return whether a stream selects anything but the activity log."""
        return any(stream["type"] != "customer" for stream in self.streams)


def _selects(stream: Stream, event: Event) -> bool:
    name, data = event
    kind, _, category = name.partition("|")
    if stream["type"] != kind:
        return False
    # An absent or empty list selects everything, also categories that cannot be named.
    events = stream.get("events")
    if isinstance(events, list) and events and category not in events:
        return False
    selected = stream.get(_SELECTORS.get(kind, ""))
    if not isinstance(selected, list) or not selected:
        return True
    port = data.get("port_circuit_id")
    return (f"{data.get('vc_circuit_id')}&{port}" if kind == "vc" else port) in selected


def parse_streams(body: object) -> tuple[Stream, ...]:
    """Validate the body of ``POST /v2/events`` and return its streams; raises :class:`BadRequest`."""
    streams = body.get("streams") if isinstance(body, dict) else None
    if not isinstance(streams, list):
        raise BadRequest("streams: a list is required")
    for index, stream in enumerate(streams):
        path = f"streams.{index}"
        kind = stream.get("type") if isinstance(stream, dict) else None
        if not isinstance(kind, str) or kind not in CATEGORIES:
            raise BadRequest(f"{path}.type: one of {', '.join(CATEGORIES)} is required")
        for field in ("events", _SELECTORS.get(kind, "events")):
            # PacketFabric's own Terraform provider sends null for an attribute that is not set.
            names = stream.get(field) or []
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise BadRequest(f"{path}.{field}: a list of strings is required")
        for name in stream.get("events") or []:
            if name not in CATEGORIES[kind]:
                raise BadRequest(f"{path}.events: unknown category {name!r}")
    return tuple(streams)
