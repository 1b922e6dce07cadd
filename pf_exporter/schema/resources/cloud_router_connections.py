"""Cloud router connections: ``/v2/services/cloud-routers/connections``."""

from __future__ import annotations

from pf_exporter.schema.parsers import (
    parse_bgp_sessions,
    parse_bgp_states,
    parse_speed,
    single,
    state_set,
)
from pf_exporter.schema.resource import FieldMetric, Resource, same_names

CLOUD_ROUTER_CONNECTIONS = Resource(
    name="cloud_router_connection",
    path="/v2/services/cloud-routers/connections",
    key="cloud_circuit_id",
    sort_column="time_created",
    opt_in_setting="cloud_router_connections",
    help="Information about the cloud router connection; polled, because these connections are not streamed",
    labels=same_names(
        "description",
        "cloud_router_circuit_id",
        "cloud_router_name",
        "service_provider",
        "connection_type",
        "pop",
        "speed",
        "port_circuit_id",
    ),
    metrics=(
        FieldMetric(
            "speed",
            "speed_bytes_per_second",
            single(parse_speed),
            "Nominal speed; the API gives bits per second; polled",
        ),
        FieldMetric(
            "state",
            "state",
            state_set("Active", "Inactive", "PendingDelete", "Requested"),
            "1 for the state of the connection, 0 for the others; polled",
            ("state",),
        ),
        FieldMetric(
            "bgp_state_list",
            "bgp_up",
            parse_bgp_sessions,
            "Whether the BGP session is established; absent while it is being configured; polled",
            ("bgp_settings_uuid",),
        ),
        FieldMetric(
            "bgp_state_list",
            "bgp_state",
            parse_bgp_states,
            "1 for the state of the BGP session, 0 for the others; polled",
            ("bgp_settings_uuid", "state"),
        ),
    ),
)
