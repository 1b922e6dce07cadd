"""The router of a port: the state and the optical module of its interface, and its log of link changes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timezone

from starlette.exceptions import HTTPException

from pf_exporter.simulator.optics import milliwatts, optical_data
from pf_exporter.simulator.pagination import Row
from pf_exporter.simulator.resource_name import ResourceName
from pf_exporter.simulator.resources.resource import (
    Query,
    Resource,
    device_name,
    format_log_time,
    operational_status,
)
from pf_exporter.simulator.time_range import log_range
from pf_exporter.simulator.topology import Port
from pf_exporter.simulator.traffic import START

_NAMES = (
    "rx_power_high_alarm",
    "rx_power_high_warn",
    "rx_power_low_warn",
    "rx_power_low_alarm",
    "tx_power_high_alarm",
    "tx_power_high_warn",
)
# In dBm, in the order of _NAMES, as in the data sheets of common modules.
_THRESHOLDS = {
    "LX": (1.0, 0.0, -19.0, -20.0, 1.0, 0.0),
    "LR": (2.5, 0.5, -14.4, -18.4, 3.5, 0.5),
    "ER": (1.0, -1.0, -15.8, -19.8, 6.0, 4.0),
    "LR4": (6.0, 4.5, -10.6, -13.6, 6.5, 4.3),
}


def _device_info(query: Query) -> object:
    """Return ``DeviceInfo_GET`` of a port that is provisioned; a LAG has no optical module."""
    port, now = query.port(), query.now
    if port.status != "active":
        raise HTTPException(404, "Port is not provisioned.")
    rx, tx = query.network.read_port(port, now)
    row: Row = {
        "adjacent_router": f"efr1.{port.pop.name.lower()}",
        "device_name": device_name(port),
        "device_make": "Juniper",
        "iface_name": _interface(query, port),
        "admin_status": "up" if port.is_enabled else "down",
        "oper_status": operational_status(port, now),
        "auto_negotiation": port.gbps == 1,
        "speed": f"{port.gbps}Gbps",
        "polltime": math.floor(now / 60) * 60.0,
        "time_flapped": _flapped(port, now),
        "wiring_speed": f"{port.gbps}G",
        "wiring_media": port.media,
        "device_can_lag": True,
    }
    for direction, reading in (("rx", rx), ("tx", tx)):
        row |= {
            f"traffic_{direction}_bps": reading.bps,
            f"traffic_{direction}_pps": reading.pps,
            f"traffic_{direction}_bytes": reading.bytes,
            f"traffic_{direction}_packets": reading.packets,
            f"traffic_{direction}_ipv6_bytes": reading.bytes // 20,
            f"traffic_{direction}_ipv6_packets": reading.packets // 20,
        }
    return row | ({"lag_speed": port.gbps * len(port.members)} if port.members else _module(port, now))


def _module(port: Port, now: float) -> Row:
    """Return lanes and thresholds; the live API has an array of lanes, where its description has one."""
    data = optical_data(port, now)
    row: Row = {
        "optics_diagnostics_lane_values": [
            {
                "lane_index": str(lane),
                "tx_status": "ok",
                "rx_status": "ok" if port.up(now) else "los",
                "tx_power": data[f"lane_{lane}_tx_power"],
                "tx_power_dbm": data[f"lane_{lane}_tx_dbm"],
                "rx_power": data[f"lane_{lane}_rx_power"],
                "rx_power_dbm": data[f"lane_{lane}_rx_dbm"],
                "bias_current": data[f"lane_{lane}_bias_current"],
            }
            for lane in range(port.lanes)
        ]
    }
    for name, dbm in zip(_NAMES, _THRESHOLDS[port.media], strict=True):
        row |= {f"{name}_threshold": milliwatts(dbm), f"{name}_threshold_dbm": dbm}
    return row


def _interface(query: Query, port: Port) -> str:
    if port.members:
        return "ae0"
    kind = "et" if port.gbps >= 40 else "xe" if port.gbps == 10 else "ge"
    return f"{kind}-0/0/{query.network.ports.index(port) % 48}"


def _flapped(port: Port, now: float) -> str:
    """Return when the link last went up or down, in the form of Junos: a time and its age, or ``Never``."""
    outage = port.outage
    if outage is None:
        return "Never"
    recovered = outage.last_recovery(now)
    changed = recovered if outage.up(now) else recovered + outage.period - outage.down
    time = datetime.fromtimestamp(changed, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    days, seconds = divmod(int(now - changed), 86400)
    age = f"{seconds // 3600:02}:{seconds % 3600 // 60:02}"
    return f"{time} ({f'{days}d {age}' if days else f'{age}:{seconds % 60:02}'} ago)"


def _logs(query: Query) -> object:
    """Return the log entries about the link of a port, newest first."""
    port, (start, end) = query.port(), log_range(query.parameters)
    device, interface = device_name(port), _interface(query, port)
    index = 500 + query.network.ports.index(port)
    return [
        {
            "device_name": device,
            "iface_name": interface.upper(),
            "message": f"{device} mib2d[11088]: %DAEMON-4-SNMP_TRAP_LINK_{state.upper()}: ifIndex {index}, "
            f"ifAdminStatus up(1), ifOperStatus {state}({1 if state == 'up' else 2}), ifName {interface}",
            "severity": 4,
            "severity_name": "Warning",
            "timestamp": format_log_time(at),
        }
        for at, state in reversed(list(_link_changes(port, start, min(end, query.now))))
    ]


def _link_changes(port: Port, start: float, end: float) -> Iterator[tuple[float, str]]:
    """Yield when the link went down or came up, from ``start`` to ``end``."""
    outage = port.outage
    if outage is None:
        return
    first = START + outage.offset
    for cycle in range(
        max(0, math.floor((start - first) / outage.period)), math.floor((end - first) / outage.period) + 1
    ):
        up = first + cycle * outage.period
        for at, state in ((up, "up"), (up + outage.period - outage.down, "down")):
            if start <= at <= end:
                yield at, state


DEVICES = (
    Resource(ResourceName.DEVICE_INFO, "/v2/ports/{port}/device-info", _device_info),
    Resource(ResourceName.ROUTER_LOGS, "/v2/ports/{port}/router-logs", _logs),
)
