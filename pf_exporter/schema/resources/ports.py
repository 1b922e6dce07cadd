"""Ports: ``/v2/ports``."""

from __future__ import annotations

from pf_exporter.schema.parsers import open_state_set, parse_count, parse_speed, parse_up_down, single
from pf_exporter.schema.resource import FieldMetric, Resource, same_names

PORTS = Resource(
    name="port",
    path="/v2/ports",
    key="port_circuit_id",
    sort_column="port_circuit_id",
    help="Information about the port; 'lag' is the LAG that it is a member of",
    labels={
        **same_names(
            "description", "pop", "site", "market", "region", "zone", "speed", "media", "customer_name"
        ),
        "lag": "parent_lag_circuit_id",
    },
    metrics=(
        FieldMetric(
            "speed",
            "speed_bytes_per_second",
            single(parse_speed),
            "Nominal speed; the API gives bits per second",
        ),
        FieldMetric(
            "operational_status",
            "operational_up",
            single(parse_up_down),
            "Whether the port is operationally up",
        ),
        FieldMetric(
            "admin_status", "admin_up", single(parse_up_down), "Whether the port is administratively up"
        ),
        FieldMetric(
            "state",
            "state",
            open_state_set("requested", "provisioning", "active", "disabled", "deleted"),
            "1 for the state of the port's provisioning, 0 for the others",
            ("state",),
        ),
        FieldMetric("mtu", "mtu_bytes", single(parse_count), "Largest packet that the port accepts"),
    ),
)
