"""Ports: ``/v2/ports``."""

from __future__ import annotations

from pf_exporter.schema.parsers import (
    parse_count,
    parse_speed,
    parse_up_down,
    single,
)
from pf_exporter.schema.resource_builder import build_resource, same_names

PORTS = build_resource(
    "port",
    "/v2/ports",
    "port_circuit_id",
    "What the port is; 'lag' is the LAG it is a member of",
    same_names("description pop site market region zone speed media customer_name")
    | {"lag": "parent_lag_circuit_id"},
    (
        (
            "speed",
            "speed_bytes_per_second",
            single(parse_speed),
            "Nominal speed; the API gives bits per second",
        ),
        (
            "operational_status",
            "operational_up",
            single(parse_up_down),
            "Whether the port is operationally up",
        ),
        ("admin_status", "admin_up", single(parse_up_down), "Whether the port is switched on"),
        ("mtu", "mtu_bytes", single(parse_count), "The largest packet that the port takes"),
    ),
)
