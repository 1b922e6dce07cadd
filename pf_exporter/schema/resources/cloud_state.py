"""The cloud provider's side of connections, as PacketFabric reads it from the provider."""

from __future__ import annotations

from typing import Any

from pf_exporter.schema.family import gauge
from pf_exporter.schema.parsers import open_state_set
from pf_exporter.schema.polled_resource import (
    HOUR,
    MINUTE,
    PolledRequest,
    PolledResource,
    ReadContext,
    Reading,
    Sample,
    Scope,
    ids,
    rows,
)

_PATH = "/v2/services/cloud/connections/{id}"
_ROUTER_PATH = "/v2/services/cloud-routers/connections/{id}"

# The states of AWS Direct Connect and Google Cloud Interconnect, as those providers document them;
# PacketFabric's API gives one example of each.
_AWS = ("requested", "pending", "available", "down", "deleting", "deleted", "rejected", "unknown")
LAYERS = {
    "aws_dx_connection": ("aws_dx_connection_state", open_state_set("ordering", *_AWS)),
    "aws_dx_port_encryption": (
        "aws_dx_port_encryption_status",
        open_state_set("encryption up", "encryption down"),
    ),
    "aws_vif": ("aws_vif_state", open_state_set("confirming", "verifying", *_AWS)),
    "bgp": ("bgp_state", open_state_set("up", "down", "unknown")),
    "google_interconnect": (
        "google_interconnect_state",
        open_state_set("active", "unprovisioned", "pending_partner", "pending_customer", "defunct"),
    ),
    "google_interconnect_admin": (
        "google_interconnect_admin_enabled",
        lambda raw: open_state_set("enabled", "disabled")({True: "enabled", False: "disabled"}[raw]),
    ),
}
"""By value of the label ``layer``, the field and its parser."""

CLOUD_CONNECTION_STATE = gauge(
    "cloud_connection_state",
    "1 for the state of a layer on the cloud provider's side of the connection, 0 for the others; polled",
    ("cloud_circuit_id", "layer", "state"),
    f"{_PATH.format(id='{cloud_circuit_id}')} cloud_settings.cloud_state",
)


def _read_list(body: Any, context: ReadContext) -> Reading:
    """Connections of cloud routers are left to the list of those."""
    others = (item for item in rows(body) if item.get("is_cloud_router_connection") is not True)
    return Reading(ids=ids([item.get("cloud_circuit_id") for item in others]))


def _read_state(body: Any, context: ReadContext) -> Reading:
    if not isinstance(body, dict):
        raise ValueError("not an object")
    settings = body.get("cloud_settings")
    state = settings.get("cloud_state") if isinstance(settings, dict) else None
    samples: list[Sample] = []
    rejected: list[str] = []
    for layer, (field, parse) in LAYERS.items():
        raw = state.get(field) if isinstance(state, dict) else None
        if raw is None or raw == "":
            continue
        try:
            states = parse(raw)
        except (ValueError, LookupError, TypeError):
            rejected.append(field)
            continue
        samples += (
            Sample(CLOUD_CONNECTION_STATE.name, (context.target, layer, *labels), value)
            for labels, value in states
        )
    return Reading(tuple(samples), rejected=tuple(rejected))


HOSTED_CONNECTIONS = PolledResource(
    name="hosted_connection",
    title="IDs of hosted cloud connections",
    requests=(PolledRequest("/v2/services/cloud/connections/hosted", key="cloud_circuit_id"),),
    period=HOUR,
    read=_read_list,
    setting="cloud_state",
)
DEDICATED_CONNECTIONS = HOSTED_CONNECTIONS._replace(
    name="dedicated_connection",
    title="IDs of dedicated cloud connections",
    requests=(PolledRequest("/v2/services/cloud/connections/dedicated"),),
)
CLOUD_STATE = PolledResource(
    name="cloud_state",
    title="State on the provider's side of hosted and dedicated cloud connections",
    requests=(PolledRequest(_PATH),),
    period=15 * MINUTE,
    read=_read_state,
    families=(CLOUD_CONNECTION_STATE,),
    scope=Scope.CLOUD_CONNECTION,
    setting="cloud_state",
)
CLOUD_ROUTER_CLOUD_STATE = CLOUD_STATE._replace(
    name="cloud_router_cloud_state",
    title="State on the provider's side of cloud router connections",
    requests=(PolledRequest(_ROUTER_PATH),),
    families=(),
    scope=Scope.CLOUD_ROUTER_CONNECTION,
)
