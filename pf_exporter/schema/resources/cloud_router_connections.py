"""Cloud router connections: ``/v2/services/cloud-routers/connections``."""

from __future__ import annotations

from pf_exporter.schema.parsers import (
    parse_bgp_sessions,
    parse_speed,
    single,
    state_set,
)
from pf_exporter.schema.resource_builder import build_resource, same_names

CLOUD_ROUTER_CONNECTIONS = build_resource(
    "cloud_router_connection",
    "/v2/services/cloud-routers/connections",
    "cloud_circuit_id",
    "What the cloud router connection is; polled, for these connections are not streamed",
    same_names(
        "description cloud_router_circuit_id cloud_router_name service_provider connection_type pop speed"
        " port_circuit_id"
    ),
    (
        (
            "speed",
            "speed_bytes_per_second",
            single(parse_speed),
            "Nominal speed; the API gives bits per second; polled",
        ),
        (
            "state",
            "state",
            state_set("Active", "Inactive", "PendingDelete", "Requested"),
            "1 for the state of the connection, 0 for the others; polled",
        ),
        ("bgp_state_list", "bgp_up", parse_bgp_sessions, "Whether the BGP session is established; polled"),
    ),
    parse_up_down="state",
    bgp_up="bgp_settings_uuid",
)
