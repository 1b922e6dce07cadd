"""Notifications of maintenances: ``/v2/maintenances/notifications``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pf_exporter.schema.family import gauge
from pf_exporter.schema.maintenance import Maintenance, classify
from pf_exporter.schema.polled_resource import (
    DAY,
    MINUTE,
    PolledRequest,
    PolledResource,
    ReadContext,
    Reading,
    ids,
    rows,
    text,
)
from pf_exporter.schema.timestamps import MAX_TIMESTAMP, epoch_in

_PATH = "/v2/maintenances/notifications"


def _read(body: Any, context: ReadContext) -> Reading:
    newest: dict[str, Maintenance] = {}
    rejected: list[str] = []
    for item in rows(body):
        maintenance = _maintenance(item, context, rejected)
        if not maintenance.uuid:
            rejected.append("uuid")
            continue
        before = newest.get(maintenance.uuid)
        if before is None or maintenance.updated >= before.updated:
            newest[maintenance.uuid] = maintenance
    return Reading(maintenances=tuple(newest.values()), rejected=tuple(rejected))


def _maintenance(item: Mapping[str, Any], context: ReadContext, rejected: list[str]) -> Maintenance:
    def time(field: str) -> float | None:
        raw = item.get(field)
        if raw is None or raw == "":
            return None
        at = epoch_in(raw, context.zone) if isinstance(raw, str) and len(raw) <= MAX_TIMESTAMP else None
        if at is None:
            rejected.append(field)
        return at

    kind, action = classify(text(item, "type"), text(item, "action"))
    return Maintenance(
        uuid=text(item, "uuid"),
        ticket=text(item, "jira_key"),
        type=kind,
        action=action,
        start=time("time_start"),
        end=time("time_end"),
        updated=time("time_updated") or time("time_created") or 0.0,
        ports=ids(item.get("port_circuit_ids")),
        vcs=ids(item.get("vc_circuit_ids")),
        cloud_router_connections=ids(item.get("cr_connection_circuit_ids")),
        excluded=ids(item.get("exclude")),
        pops=ids(item.get("pops")),
        system_wide=item.get("system_wide") is True,
    )


MAINTENANCE_INFO = gauge(
    "maintenance_info",
    "Maintenance of PacketFabric that is announced or in progress; 'ticket' is PacketFabric's ticket key",
    ("maintenance", "type", "action", "ticket", "system_wide"),
    _PATH,
)
MAINTENANCE_START = gauge(
    "maintenance_start_timestamp_seconds",
    "When the maintenance starts; the API gives no time zone, see inventory.maintenance_timezone",
    ("maintenance",),
    f"{_PATH} time_start",
)
MAINTENANCE_END = gauge(
    "maintenance_end_timestamp_seconds",
    "When the maintenance ends; the API gives no time zone, see inventory.maintenance_timezone",
    ("maintenance",),
    f"{_PATH} time_end",
)
MAINTENANCE_PORT = gauge(
    "maintenance_affects_port",
    "The maintenance affects the port; only if no circuit is listed, every port of the listed POPs, or of"
    " the account if it is system-wide",
    ("maintenance", "port_circuit_id"),
    f"{_PATH} port_circuit_ids",
)
MAINTENANCE_VC = gauge(
    "maintenance_affects_vc",
    "The maintenance affects the virtual circuit, by the rules of packetfabric_maintenance_affects_port",
    ("maintenance", "vc_circuit_id"),
    f"{_PATH} vc_circuit_ids",
)
MAINTENANCE_CONNECTION = gauge(
    "maintenance_affects_cloud_router_connection",
    "The maintenance affects the cloud router connection, by the rules of"
    " packetfabric_maintenance_affects_port",
    ("maintenance", "cloud_circuit_id"),
    f"{_PATH} cr_connection_circuit_ids",
)

MAINTENANCE = PolledResource(
    name="maintenance",
    title="Maintenances since yesterday, and announced ones",
    requests=(PolledRequest(_PATH, query={"start": "{from}"}),),
    period=5 * MINUTE,
    read=_read,
    lookback=DAY,
    families=(
        MAINTENANCE_INFO,
        MAINTENANCE_START,
        MAINTENANCE_END,
        MAINTENANCE_PORT,
        MAINTENANCE_VC,
        MAINTENANCE_CONNECTION,
    ),
)
