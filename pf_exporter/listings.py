"""The table of the lists we fetch: what of their objects is shown, in which families, and how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pf_exporter.circuits import (
    Listing,
    Measure,
    Samples,
    bgp,
    count,
    megabits,
    one,
    one_of,
    speed,
    state,
)
from pf_exporter.families import Family

_Row = tuple[str, str, Callable[[object], Samples], str]
"""Field, end of the family's name, reader, help."""


def _listing(
    noun: str, path: str, key: str, help: str, labels: Mapping[str, str], rows: tuple[_Row, ...], **more: str
) -> Listing:
    def family(name: str, help: str, source: str, *labels: str) -> Family:
        return Family(f"packetfabric_{noun}_{name}", "gauge", help, ("account", key, *labels), source)

    measures = [
        Measure(family(name, text, f"{path} {field}", *more.get(name, "").split()), field, read)
        for field, name, read, text in rows
    ]
    return Listing(noun, path, key, family("info", help, path, *labels), labels, tuple(measures))


def _same(labels: str) -> dict[str, str]:
    return {label: label for label in labels.split()}


PORTS = _listing(
    "port",
    "/v2/ports",
    "port_circuit_id",
    "What the port is; 'lag' is the LAG it is a member of",
    _same("description pop site market region zone speed media customer_name")
    | {"lag": "parent_lag_circuit_id"},
    (
        ("speed", "speed_bytes_per_second", one(speed), "Nominal speed; the API gives bits per second"),
        ("operational_status", "operational_up", one(state), "Whether the port is operationally up"),
        ("admin_status", "admin_up", one(state), "Whether the port is switched on"),
        ("mtu", "mtu_bytes", one(count), "The largest packet that the port takes"),
    ),
)

VCS = _listing(
    "vc",
    "/v2/services",
    "vc_circuit_id",
    "What the virtual circuit is, and the ports at its ends",
    _same("description service_type service_class mode")
    | {
        "speed": "bandwidth.speed",
        "port_a": "interfaces.0.port_circuit_id",
        "port_z": "interfaces.1.port_circuit_id",
    },
    (
        ("connected", "connected", one(state), "Whether the virtual circuit is connected"),
        (
            "rate_limit_in",
            "receive_limit_bytes_per_second",
            one(megabits),
            "Upper bound of incoming data; the API gives Mbps",
        ),
        (
            "rate_limit_out",
            "transmit_limit_bytes_per_second",
            one(megabits),
            "Upper bound of outgoing data; the API gives Mbps",
        ),
    ),
)

CONNECTIONS = _listing(
    "cloud_router_connection",
    "/v2/services/cloud-routers/connections",
    "cloud_circuit_id",
    "What the cloud router connection is; polled, for these connections are not streamed",
    _same(
        "description cloud_router_circuit_id cloud_router_name service_provider connection_type pop speed"
        " port_circuit_id"
    ),
    (
        (
            "speed",
            "speed_bytes_per_second",
            one(speed),
            "Nominal speed; the API gives bits per second; polled",
        ),
        (
            "state",
            "state",
            one_of("Active", "Inactive", "PendingDelete", "Requested"),
            "1 for the state of the connection, 0 for the others; polled",
        ),
        ("bgp_state_list", "bgp_up", bgp, "Whether the BGP session is established; polled"),
    ),
    state="state",
    bgp_up="bgp_settings_uuid",
)

LISTINGS = (PORTS, VCS, CONNECTIONS)
"""Every list there is to fetch."""

REFERENCES = ("lag", "port_a", "port_z", "port_circuit_id")
"""Labels of info families that hold the id of another circuit."""
