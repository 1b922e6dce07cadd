"""Virtual circuits: ``/v2/services``."""

from __future__ import annotations

from pf_exporter.schema.parsers import (
    parse_megabits,
    parse_up_down,
    single,
)
from pf_exporter.schema.resource_builder import build_resource, same_names

VIRTUAL_CIRCUITS = build_resource(
    "vc",
    "/v2/services",
    "vc_circuit_id",
    "What the virtual circuit is, and the ports at its ends",
    same_names("description service_type service_class mode")
    | {
        "speed": "bandwidth.speed",
        "port_a": "interfaces.0.port_circuit_id",
        "port_z": "interfaces.1.port_circuit_id",
    },
    (
        ("connected", "connected", single(parse_up_down), "Whether the virtual circuit is connected"),
        (
            "rate_limit_in",
            "receive_limit_bytes_per_second",
            single(parse_megabits),
            "Upper bound of incoming data; the API gives Mbps",
        ),
        (
            "rate_limit_out",
            "transmit_limit_bytes_per_second",
            single(parse_megabits),
            "Upper bound of outgoing data; the API gives Mbps",
        ),
    ),
)
