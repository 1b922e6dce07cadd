"""The maintenances on the status page: those in progress first, then those to come."""

from __future__ import annotations

import time
from collections.abc import Mapping

from pf_exporter.inventory import Effects, effects
from pf_exporter.schema import Maintenance
from pf_exporter.web.account_status import Inventory
from pf_exporter.web.moments import moment
from pf_exporter.web.page_values import Severity
from pf_exporter.web.status_context import MaintenanceEntry

MAX_MAINTENANCES = 20
"""Maintenances that are shown."""
MAX_CIRCUITS = 8
"""Circuits of a maintenance whose IDs are shown."""


def maintenance_entries(inventories: Mapping[str, Inventory], now: float) -> list[MaintenanceEntry]:
    """The maintenances of all accounts, by their start; ``now`` is UNIX seconds."""
    found = [
        (maintenance, account, inventory)
        for account, inventory in inventories.items()
        for maintenance in inventory.maintenances()
        if maintenance.end is None or maintenance.end > now
    ]
    found.sort(key=lambda item: (item[0].start or 0.0, item[0].uuid))
    several = len(inventories) > 1
    return [
        _entry(maintenance, account if several else "", effects(maintenance, inventory.snapshot), now)
        for maintenance, account, inventory in found[:MAX_MAINTENANCES]
    ]


def _entry(maintenance: Maintenance, account: str, affected: Effects, now: float) -> MaintenanceEntry:
    start, end = maintenance.start, maintenance.end
    times = [None if at is None else moment(at, now, with_date=True) for at in (start, end)]
    if start is None or start > now:
        state = "Announced" if times[0] is None else f"In {times[0].age}"
        severity = Severity.NEUTRAL
    else:
        state, severity = "In progress", Severity.WARNING
    circuits = [*affected.ports, *affected.vcs, *affected.cloud_router_connections]
    return MaintenanceEntry(
        account=account,
        title=" ".join(filter(None, (maintenance.type.capitalize() or "Maintenance", maintenance.ticket))),
        state=state,
        severity=severity,
        start=times[0],
        end=times[1],
        local=_local(start, end),
        affected=_affected(affected),
        circuits=circuits[:MAX_CIRCUITS],
    )


def _affected(affected: Effects) -> str:
    counts = (
        (len(affected.ports), "port", "ports"),
        (len(affected.vcs), "virtual circuit", "virtual circuits"),
        (
            len(affected.cloud_router_connections),
            "cloud router connection",
            "cloud router connections",
        ),
    )
    texts = [f"{count:,} {one if count == 1 else many}" for count, one, many in counts if count]
    return ", ".join(texts) or "no circuit of this account"


def _local(start: float | None, end: float | None) -> str:
    """Start and end in local time, such as ``2026-11-27 01:00 to 05:00 CET``."""
    if start is None or end is None:
        return ""
    first, last = time.localtime(start), time.localtime(end)
    if not first.tm_gmtoff and not last.tm_gmtoff:
        return ""
    same_day = first[:3] == last[:3]
    until = time.strftime("%H:%M %Z" if same_day else "%Y-%m-%d %H:%M %Z", last)
    return f"{time.strftime('%Y-%m-%d %H:%M', first)} to {until}"
