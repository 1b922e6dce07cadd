"""BGP of cloud router connections: settings, routes, and the log of state changes."""

from __future__ import annotations

from starlette.exceptions import HTTPException

from pf_exporter.simulator.bgp import SESSIONS, Session, sessions_of
from pf_exporter.simulator.errors import BadRequest
from pf_exporter.simulator.pagination import Row
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources.cloud_router_connections import ROUTER, named_connection
from pf_exporter.simulator.resources.resource import (
    CREATED,
    Query,
    Resource,
    format_log_time,
    resource_uuid,
)
from pf_exporter.simulator.time_range import log_range

# The number of routes of each type while a session is established, and the network they are in.
_ROUTES = {
    "received": (24, 16),
    "received_hidden": (2, 64),
    "advertised": (12, 128),
    "not_active": (3, 192),
}


def _settings(query: Query) -> object:
    """Return ``bgp_session_settings`` of every session."""
    return [_setting(query.network.seed, session) for session in SESSIONS]


def _setting(seed: int, session: Session) -> Row:
    return {
        "bgp_settings_uuid": resource_uuid(seed, session.key),
        "address_family": session.family,
        "remote_address": session.peer,
        "remote_asn": 64512,
        "multihop_ttl": 1,
        "local_preference": 100,
        "med": 0,
        "orlonger": True,
        "bfd_interval": 300,
        "bfd_multiplier": 3,
        "disabled": session.is_disabled,
        "time_created": CREATED,
        "time_updated": CREATED,
    }


def _routes(query: Query) -> object:
    """Return ``bgp_route`` of the requested types; none of a session that is not established."""
    _check_router(query)
    connection = named_connection(query)
    types = query.values("route_type")
    if not types or not _ROUTES.keys() >= set(types):
        raise BadRequest(f"route_type: one or several of {', '.join(_ROUTES)} are required")
    return [
        _route(session, route_type, index, query.now)
        for session in sessions_of(connection.circuit_id)
        if session.is_established(query.now)
        for route_type in types
        for index in range(_ROUTES[route_type][0])
    ]


def _route(session: Session, route_type: str, index: int, now: float) -> Row:
    prefix = f"10.{_ROUTES[route_type][1]}.{index}.0"
    row: Row = {
        "destination": f"{prefix}/24",
        "prefix": prefix,
        "prefix_length": 24,
        "advertised": route_type == "advertised",
        "received": route_type != "advertised",
        "hidden": route_type == "received_hidden",
        "imported": False,
        "installed": route_type == "received",
        "as_path": "64512 I",
        "med": 0,
        "neighbor": session.peer,
        "next_hop": session.peer,
        "local_preference": 100,
        "protocol_name": "BGP",
        "timestamp": format_log_time(now),
    }
    if route_type == "received_hidden":
        row["hidden_reason"] = "rejected by import policy"
    return row


def _logs(query: Query) -> object:
    """Return the changes of state of all sessions, or of those of one connection, newest first."""
    _check_router(query)
    start, end = log_range(query.parameters)
    wanted = query.parameters.get("cloud_circuit_id")
    changes = sorted(
        (change.at, session.peer, change.before, change.after)
        for session in SESSIONS
        if wanted in (None, session.connection)
        for change in session.changes(start, min(end, query.now))
    )
    return [
        {
            "message": f"%DAEMON-4-RPD_BGP_NEIGHBOR_STATE_CHANGED: BGP peer {peer} "
            f"changed state from {before} to {after}",
            "bgp_peer_ip": peer,
            "severity": 4,
            "severity_name": "Warning",
            "timestamp": format_log_time(at),
        }
        for at, peer, before, after in reversed(changes)
    ]


def _check_router(query: Query) -> None:
    if query.path["router"] != ROUTER:
        raise HTTPException(404, "Cloud router not found.")


_ROUTER_PATH = "/v2/services/cloud-routers/{router}"

BGP = (
    Resource(ResourceName.BGP_SETTINGS, "/v2/bgp-settings", _settings),
    Resource(ResourceName.BGP_ROUTES, f"{_ROUTER_PATH}/connections/{{connection}}/bgp-routes", _routes),
    Resource(ResourceName.BGP_LOGS, f"{_ROUTER_PATH}/bgp-logs", _logs),
)
