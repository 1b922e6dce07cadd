"""The fields of an entry of the account's activity log."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PERSONAL_FIELDS = ("message", "user", "ip_address")
"""Fields of an entry that contain personal data."""

ACTIVITY_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "category": "repeats the event's name",
        "log_level": "the label log_level",
        "event": "logged, but not a label: the set of values is open",
        "timestamp": "used for the lag, not as a sample's timestamp",
        **dict.fromkeys(PERSONAL_FIELDS, "personal data: not a label, and logged only on request"),
        # Not in the API's schema, but in its Terraform provider.
        **dict.fromkeys(("circuit_id", "lag", "lag_circuit_id", "workflow_id"), "the subject of the entry"),
    }
)
"""The fields of every ``customer|…`` event, with how each is used."""
