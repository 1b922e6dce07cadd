"""Maintenances: notifications, and what is running or announced at locations."""

from __future__ import annotations

import zlib
from datetime import datetime, timezone

from pf_exporter.simulator.maintenance import Notice
from pf_exporter.simulator.pagination import Row
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources.resource import Query, Resource, device_name, resource_uuid
from pf_exporter.simulator.time_range import parse_time
from pf_exporter.simulator.topology import POPS

_MARKETS = {pop.name: pop.market for pop in POPS}
_ENDED = ("close", "cancel")


def _notifications(query: Query) -> object:
    """Return ``MaintenanceDetails`` of every notification that overlaps ``start`` to ``end``."""
    parameters = query.parameters
    first = parse_time("start", parameters["start"]) if "start" in parameters else 0.0
    last = parse_time("end", parameters["end"]) if "end" in parameters else float("inf")
    rows = [
        _notification(query.network.seed, notice)
        for notice in query.maintenances
        if notice.end >= first and notice.start <= last
    ]
    # The names of two fields are swapped in the response, but not in the query.
    wanted = {
        field: parameters[name]
        for name, field in (("uuid", "uuid"), ("action", "type"), ("type", "action"))
        if name in parameters
    }
    return [row for row in rows if all(row[field] == value for field, value in wanted.items())]


def _notification(seed: int, notice: Notice) -> Row:
    return {
        "uuid": _uuid(seed, notice),
        "jira_key": f"NOC-{zlib.crc32(notice.name.encode()) % 9000 + 1000}",
        # Swapped, as in PacketFabric's description: type is what happened to the notification.
        "type": notice.action,
        "action": notice.kind,
        "exclude": list(notice.exclude),
        "time_start": _time(notice.start),
        "time_end": _time(notice.end),
        "time_created": _time(notice.created),
        "time_updated": _time(notice.updated),
        "port_circuit_ids": list(notice.ports),
        "vc_circuit_ids": list(notice.circuits),
        "cr_connection_circuit_ids": list(notice.connections),
        "pops": list(notice.pops),
        "system_wide": notice.is_system_wide,
    }


def _by_location(query: Query) -> object:
    """Return ``MaintenanceResponse`` of what is not over, only the newest state of each maintenance."""
    newest: dict[str, Notice] = {}
    for notice in query.maintenances:
        if notice.name not in newest or newest[notice.name].updated < notice.updated:
            newest[notice.name] = notice
    # A maintenance of another POP in the same market is included.
    markets = {_MARKETS.get(pop, pop) for pop in query.values("pop_names_list")}
    markets.update(query.values("market_codes_list"))
    rows = [
        _location(query, notice)
        for notice in newest.values()
        if notice.end >= query.now and notice.action not in _ENDED
    ]
    return {"maintenances": [row for row in rows if not markets or _is_in(row, markets)]}


def _is_in(row: Row, markets: set[str]) -> bool:
    affected = row["market_codes"]
    assert isinstance(affected, list)
    return row["system_wide"] is True or not markets.isdisjoint(affected)


def _location(query: Query, notice: Notice) -> Row:
    ports = [port for circuit_id in notice.ports if (port := query.network.port(circuit_id))]
    pops = sorted({*notice.pops, *(port.pop.name for port in ports)})
    return {
        "maintenance_uuid": _uuid(query.network.seed, notice),
        "maintenance_type": notice.kind,
        "maintenance_action": notice.action,
        "port_circuit_ids": list(notice.ports),
        "exclude_port_circuit_ids": list(notice.exclude),
        "device_names": sorted({device_name(port) for port in ports}),
        "pop_names": pops,
        "market_codes": sorted({_MARKETS[pop] for pop in pops}),
        "start_time": _time(notice.start),
        "end_time": _time(notice.end),
        "system_wide": notice.is_system_wide,
        "time_created": _time(notice.created),
        "time_updated": _time(notice.updated),
    }


def _uuid(seed: int, notice: Notice) -> str:
    return resource_uuid(seed, f"maintenance {notice.name}")


def _time(at: float) -> str:
    """Format UNIX seconds as the API's examples of maintenances: without zone, with five decimals."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.00000")


MAINTENANCE = Resource(ResourceName.MAINTENANCE, "/v2/maintenances/notifications", _notifications)
MAINTENANCE_BY_LOCATION = Resource(
    ResourceName.MAINTENANCE_BY_LOCATION, "/v2/maintenances/by-location", _by_location
)
