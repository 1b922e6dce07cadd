"""Virtual circuits: ``/v2/services``."""

from __future__ import annotations

from pf_exporter.schema.parsers import open_state_set, parse_megabits, parse_up_down, single
from pf_exporter.schema.resource import FieldMetric, Resource, same_names

VIRTUAL_CIRCUITS = Resource(
    name="vc",
    path="/v2/services",
    key="vc_circuit_id",
    sort_column="vc_circuit_id",
    help="Information about the virtual circuit, and the ports at its ends",
    labels={
        **same_names("description", "service_type", "service_class", "mode"),
        "speed": "bandwidth.speed",
        "port_a": "interfaces.0.port_circuit_id",
        "port_z": "interfaces.1.port_circuit_id",
    },
    metrics=(
        FieldMetric(
            "connected", "connected", single(parse_up_down), "Whether the virtual circuit is connected"
        ),
        FieldMetric(
            "state",
            "state",
            open_state_set(
                *("pending", "requested", "requestsent", "requestaccepted", "active", "inactive"),
                *("updaterequested", "updatefailed"),
            ),
            "1 for the state of the virtual circuit's provisioning, 0 for the others",
            ("state",),
        ),
        FieldMetric(
            "rate_limit_in",
            "receive_limit_bytes_per_second",
            single(parse_megabits),
            "Rate limit for received traffic; the API gives Mbps",
        ),
        FieldMetric(
            "rate_limit_out",
            "transmit_limit_bytes_per_second",
            single(parse_megabits),
            "Rate limit for transmitted traffic; the API gives Mbps",
        ),
    ),
)
