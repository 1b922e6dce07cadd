"""BGP sessions of cloud router connections: settings, numbers of routes, and changes of state in the log."""

from __future__ import annotations

import re
from typing import Any

from pf_exporter.schema.family import FamilySpec, MetricType, gauge
from pf_exporter.schema.observation import OTHER
from pf_exporter.schema.parsers import BGP_STATES
from pf_exporter.schema.polled_resource import (
    MINUTE,
    PolledRequest,
    PolledResource,
    ReadContext,
    Reading,
    Sample,
    Scope,
    Transition,
    rows,
    text,
)
from pf_exporter.schema.timestamps import parse_timestamp

ROUTE_TYPES = ("received", "received_hidden", "advertised", "not_active")

_SETTINGS_PATH = "/v2/bgp-settings"
_ROUTES_PATH = "/v2/services/cloud-routers/{router}/connections/{id}/bgp-routes"
_LOG_PATH = "/v2/services/cloud-routers/{router}/bgp-logs"

_TRANSITION = re.compile(r"changed state from \w+ to (\w+)", re.ASCII)

BGP_ENABLED = gauge(
    "cloud_router_connection_bgp_enabled",
    "Whether the BGP session is enabled in its settings; polled",
    ("cloud_circuit_id", "bgp_settings_uuid"),
    f"{_SETTINGS_PATH} disabled",
)
BGP_ROUTES = gauge(
    "cloud_router_connection_bgp_routes",
    "Number of routes, by type; polled",
    ("cloud_circuit_id", "type"),
    _ROUTES_PATH.format(router="{circuit_id}", id="{connection_circuit_id}"),
)
BGP_TRANSITIONS = FamilySpec(
    "packetfabric_cloud_router_connection_bgp_transitions_total",
    MetricType.COUNTER,
    "State changes of the connection's BGP sessions since the exporter started to poll the log, by new state",
    ("account", "cloud_circuit_id", "to"),
    _LOG_PATH.format(router="{circuit_id}"),
)


def _read_settings(body: Any, context: ReadContext) -> Reading:
    """The connection of a session is in the list of connections: the samples have only the UUID as label."""
    samples = []
    rejected = []
    for item in rows(body):
        uuid, disabled = text(item, "bgp_settings_uuid"), item.get("disabled")
        if uuid and isinstance(disabled, bool):
            samples.append(Sample(BGP_ENABLED.name, (uuid,), float(not disabled)))
        elif disabled is not None:
            rejected.append("disabled")
    return Reading(tuple(samples), rejected=tuple(rejected))


def _read_routes(body: Any, context: ReadContext) -> Reading:
    """Prefixes and next hops are only counted."""
    number = sum(1 for _ in rows(body))
    return Reading((Sample(BGP_ROUTES.name, (context.target, context.kind), float(number)),))


def _read_log(body: Any, context: ReadContext) -> Reading:
    transitions = []
    rejected = []
    for item in rows(body):
        message = item.get("message")
        match = _TRANSITION.search(message[:1000]) if isinstance(message, str) else None
        if match is None:
            continue
        at, _ = parse_timestamp(item.get("timestamp"))
        if at is None:
            rejected.append("timestamp")
            continue
        state = match[1].lower() if match[1].lower() in BGP_STATES else OTHER
        transitions.append(Transition(at, text(item, "bgp_peer_ip"), state))
    return Reading(transitions=tuple(transitions), rejected=tuple(rejected))


BGP_SETTINGS = PolledResource(
    name="bgp_settings",
    title="Settings of BGP sessions",
    requests=(PolledRequest(_SETTINGS_PATH),),
    period=15 * MINUTE,
    read=_read_settings,
    families=(BGP_ENABLED,),
    setting="cloud_router_connections",
)
BGP_ROUTE_COUNTS = PolledResource(
    name="bgp_routes",
    title="Number of BGP routes",
    requests=tuple(PolledRequest(_ROUTES_PATH, kind, {"route_type": kind}) for kind in ROUTE_TYPES),
    period=15 * MINUTE,
    read=_read_routes,
    families=(BGP_ROUTES,),
    scope=Scope.CLOUD_ROUTER_CONNECTION,
    setting="bgp_routes",
)
BGP_LOG = PolledResource(
    name="bgp_log",
    title="State changes of BGP sessions",
    requests=(
        PolledRequest(
            _LOG_PATH, query={"cloud_circuit_id": "{id}", "time_from": "{from}", "time_to": "{to}"}
        ),
    ),
    period=5 * MINUTE,
    read=_read_log,
    families=(BGP_TRANSITIONS,),
    scope=Scope.CLOUD_ROUTER_CONNECTION,
    setting="bgp_log",
    lookback=10 * MINUTE,
)
