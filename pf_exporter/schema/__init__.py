"""The events, fields and polled resources of the API as one table, and the decoders built from it.

Depends on neither HTTP nor prometheus_client: metric families are described here as data only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pf_exporter.lazy import lazy_names

if TYPE_CHECKING:
    from pf_exporter.schema.activity import ACTIVITY, CATEGORIES, LOG_LEVELS
    from pf_exporter.schema.activity_fields import PERSONAL_FIELDS
    from pf_exporter.schema.activity_log import (
        ACTIVITY_LOG_KEY,
        ACTIVITY_LOG_PATH,
        ACTIVITY_LOG_TIME,
        LoggedEntry,
        parse_log_row,
    )
    from pf_exporter.schema.decoder import decode
    from pf_exporter.schema.event_type import EventType
    from pf_exporter.schema.events import (
        EVENT_NAMES,
        EVENTS,
        PORT_LAST_EVENT,
        SUBSCRIBABLE_EVENTS,
        VC_LAST_EVENT,
    )
    from pf_exporter.schema.family import FamilySpec, MetricType, unit
    from pf_exporter.schema.history import (
        CONNECTION_HISTORY,
        PORT_HISTORY,
        VC_HISTORY,
        CircuitEnd,
        HistoryResource,
        circuit_ends,
        parse_history,
    )
    from pf_exporter.schema.labels import canonical_id, sanitize_label
    from pf_exporter.schema.lanes import table_field
    from pf_exporter.schema.maintenance import Maintenance
    from pf_exporter.schema.observation import OTHER, ActivityLogEntry, Numbers, Observation
    from pf_exporter.schema.parsers import BGP_STATES, Samples
    from pf_exporter.schema.polled_resource import (
        SAFE_ID,
        PolledRequest,
        PolledResource,
        ReadContext,
        Reading,
        Sample,
        Scope,
        Transition,
    )
    from pf_exporter.schema.rate_conversion import bytes_to_bits
    from pf_exporter.schema.rate_unit import RateUnit
    from pf_exporter.schema.resource import Circuit, Resource
    from pf_exporter.schema.resources import POLLED, REFERENCES, RESOURCES
    from pf_exporter.schema.resources.bgp import BGP_ENABLED, BGP_LOG, BGP_TRANSITIONS
    from pf_exporter.schema.resources.cloud_router_connections import CLOUD_ROUTER_CONNECTIONS
    from pf_exporter.schema.resources.cloud_state import DEDICATED_CONNECTIONS, HOSTED_CONNECTIONS
    from pf_exporter.schema.resources.labels import LABELS
    from pf_exporter.schema.resources.maintenance_notifications import (
        MAINTENANCE,
        MAINTENANCE_CONNECTION,
        MAINTENANCE_END,
        MAINTENANCE_INFO,
        MAINTENANCE_PORT,
        MAINTENANCE_START,
        MAINTENANCE_VC,
    )
    from pf_exporter.schema.resources.pops import POP_INFO
    from pf_exporter.schema.resources.ports import PORTS
    from pf_exporter.schema.resources.virtual_circuits import VIRTUAL_CIRCUITS
    from pf_exporter.schema.temporality import Temporality
    from pf_exporter.schema.timestamps import MAX_TIMESTAMP, epoch
    from pf_exporter.schema.values import MAX_ID, MAX_VLAN, is_id, is_number
else:
    __getattr__ = lazy_names(
        __name__,
        {
            "activity": ("ACTIVITY", "CATEGORIES", "LOG_LEVELS"),
            "activity_fields": ("PERSONAL_FIELDS",),
            "activity_log": (
                "ACTIVITY_LOG_KEY",
                "ACTIVITY_LOG_PATH",
                "ACTIVITY_LOG_TIME",
                "LoggedEntry",
                "parse_log_row",
            ),
            "decoder": ("decode",),
            "event_type": ("EventType",),
            "events": ("EVENT_NAMES", "EVENTS", "PORT_LAST_EVENT", "SUBSCRIBABLE_EVENTS", "VC_LAST_EVENT"),
            "family": ("FamilySpec", "MetricType", "unit"),
            "history": (
                "CONNECTION_HISTORY",
                "PORT_HISTORY",
                "VC_HISTORY",
                "CircuitEnd",
                "HistoryResource",
                "circuit_ends",
                "parse_history",
            ),
            "labels": ("canonical_id", "sanitize_label"),
            "lanes": ("table_field",),
            "maintenance": ("Maintenance",),
            "observation": ("OTHER", "ActivityLogEntry", "Numbers", "Observation"),
            "parsers": ("BGP_STATES", "Samples"),
            "polled_resource": (
                "SAFE_ID",
                "PolledRequest",
                "PolledResource",
                "ReadContext",
                "Reading",
                "Sample",
                "Scope",
                "Transition",
            ),
            "rate_conversion": ("bytes_to_bits",),
            "rate_unit": ("RateUnit",),
            "resource": ("Circuit", "Resource"),
            "resources": ("POLLED", "REFERENCES", "RESOURCES"),
            "resources.bgp": ("BGP_ENABLED", "BGP_LOG", "BGP_TRANSITIONS"),
            "resources.cloud_router_connections": ("CLOUD_ROUTER_CONNECTIONS",),
            "resources.cloud_state": ("DEDICATED_CONNECTIONS", "HOSTED_CONNECTIONS"),
            "resources.labels": ("LABELS",),
            "resources.maintenance_notifications": (
                "MAINTENANCE",
                "MAINTENANCE_CONNECTION",
                "MAINTENANCE_END",
                "MAINTENANCE_INFO",
                "MAINTENANCE_PORT",
                "MAINTENANCE_START",
                "MAINTENANCE_VC",
            ),
            "resources.pops": ("POP_INFO",),
            "resources.ports": ("PORTS",),
            "resources.virtual_circuits": ("VIRTUAL_CIRCUITS",),
            "temporality": ("Temporality",),
            "timestamps": ("MAX_TIMESTAMP", "epoch"),
            "values": ("MAX_ID", "MAX_VLAN", "is_id", "is_number"),
        },
    )

__all__ = [
    "ACTIVITY",
    "ACTIVITY_LOG_KEY",
    "ACTIVITY_LOG_PATH",
    "ACTIVITY_LOG_TIME",
    "BGP_ENABLED",
    "BGP_LOG",
    "BGP_STATES",
    "BGP_TRANSITIONS",
    "CATEGORIES",
    "CLOUD_ROUTER_CONNECTIONS",
    "CONNECTION_HISTORY",
    "DEDICATED_CONNECTIONS",
    "EVENTS",
    "EVENT_NAMES",
    "HOSTED_CONNECTIONS",
    "LABELS",
    "LOG_LEVELS",
    "MAINTENANCE",
    "MAINTENANCE_CONNECTION",
    "MAINTENANCE_END",
    "MAINTENANCE_INFO",
    "MAINTENANCE_PORT",
    "MAINTENANCE_START",
    "MAINTENANCE_VC",
    "MAX_ID",
    "MAX_TIMESTAMP",
    "MAX_VLAN",
    "OTHER",
    "PERSONAL_FIELDS",
    "POLLED",
    "POP_INFO",
    "PORTS",
    "PORT_HISTORY",
    "PORT_LAST_EVENT",
    "REFERENCES",
    "RESOURCES",
    "SAFE_ID",
    "SUBSCRIBABLE_EVENTS",
    "VC_HISTORY",
    "VC_LAST_EVENT",
    "VIRTUAL_CIRCUITS",
    "ActivityLogEntry",
    "Circuit",
    "CircuitEnd",
    "EventType",
    "FamilySpec",
    "HistoryResource",
    "LoggedEntry",
    "Maintenance",
    "MetricType",
    "Numbers",
    "Observation",
    "PolledRequest",
    "PolledResource",
    "RateUnit",
    "ReadContext",
    "Reading",
    "Resource",
    "Sample",
    "Samples",
    "Scope",
    "Temporality",
    "Transition",
    "bytes_to_bits",
    "canonical_id",
    "circuit_ends",
    "decode",
    "epoch",
    "is_id",
    "is_number",
    "parse_history",
    "parse_log_row",
    "sanitize_label",
    "table_field",
    "unit",
]
