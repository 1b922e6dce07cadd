"""The events ``customer|…``: entries of the account's activity log, with their categories and levels."""

from __future__ import annotations

from pf_exporter.schema.family import FamilySpec, MetricType

LOG_LEVELS = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
"""The syslog levels in the order of their numbers 0 to 7 (RFC 5424), which the REST activity log uses."""

CATEGORIES = (
    "auth",
    "billing",
    "bgp",
    "contact",
    "cloud_connection",
    "cloud_router",
    "customer",
    "document",
    "lag_interface",
    "logical_interface",
    "physical_interface",
    "outbound_cross_connect",
    "point_to_point",
    "rate_limit",
    "user",
    "virtual_circuit",
)
"""The documented categories of ``customer|…`` events."""

_NOT_SUBSCRIBABLE = frozenset(("billing", "contact", "customer"))

SUBSCRIBABLE_CATEGORIES = tuple(category for category in CATEGORIES if category not in _NOT_SUBSCRIBABLE)
"""The categories that a subscription may name; a subscription to all of them also delivers the others."""

ACTIVITY = FamilySpec(
    "packetfabric_activity_events_total",
    MetricType.COUNTER,
    "Entries of the account's activity log, streamed or read after a gap",
    ("account", "category", "log_level"),
    "customer|*",
)
"""The family that counts the entries."""
