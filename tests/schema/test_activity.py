"""The activity log: its entries, categories and fields are those that the API documents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pf_exporter.schema.activity import CATEGORIES, SUBSCRIBABLE_CATEGORIES
from pf_exporter.schema.activity_log import parse_log_row
from pf_exporter.schema.decoder import decode
from pf_exporter.schema.observation import OTHER, ActivityLogEntry
from tests.schema.samples import EXAMPLES


@pytest.mark.parametrize(
    ("payload", "timestamp"), [(EXAMPLES[0], 1591902490.150711), (EXAMPLES[1], 1628266992.872013)]
)
def test_published_entry(payload: dict[str, Any], timestamp: float) -> None:
    """Both published examples decode, with and without a time zone, and no field is unknown."""
    entry = decode(payload["event"], json.dumps(payload["data"]))
    assert isinstance(entry, ActivityLogEntry)
    assert entry.timestamp == pytest.approx(timestamp, abs=1e-6)
    assert entry._replace(timestamp=None) == ActivityLogEntry("auth", "info", None, payload["data"], 0, ())


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category(category: str) -> None:
    """Each of the 16 categories is taken from the event's name, not from the data."""
    entry = decode(f"customer|{category}", '{"category": "else"}')
    assert entry == ActivityLogEntry(category, OTHER, None, {"category": "else"}, 0, ())


@pytest.mark.parametrize(
    "name", ["customer|", "customer|high_performance_internet", "customer|a|b", "customer|*"]
)
def test_unknown_category(name: str) -> None:
    """An undocumented category is ``other``, so that it cannot become a label."""
    entry = decode(name, "{}")
    assert isinstance(entry, ActivityLogEntry)
    assert entry.category == OTHER


def test_details() -> None:
    """Strings are kept as received, everything else is dropped, and new fields are reported."""
    data = {
        "message": "a\nb",
        "timestamp": 5,
        "circuit_id": "PF-1",
        "workflow_id": 5,
        "lag": None,
        "new": "x",
    }
    entry = decode("customer|lag_interface", json.dumps(data))
    details = {"message": "a\nb", "circuit_id": "PF-1", "new": "x"}
    assert entry == ActivityLogEntry("lag_interface", OTHER, None, details, 1, ("new",))


@pytest.mark.parametrize(
    ("raw", "level"),
    [(3, "error"), ("Notice", "notice"), (8, OTHER), (10**400, OTHER), (True, OTHER), (None, OTHER)],
)
def test_level_of_a_row(raw: object, level: str) -> None:
    """The REST log has numbers; one that is no level, even if too large for a float, costs only the level."""
    row = parse_log_row({"log_uuid": "a", "time_created": "2020-06-11T19:08:10", "level": raw})
    assert row is not None
    assert row.entry.log_level == level


def test_subscribable_categories() -> None:
    """All categories can be subscribed to, except the three that the API does not accept by name."""
    assert set(CATEGORIES) - set(SUBSCRIBABLE_CATEGORIES) == {"billing", "contact", "customer"}
    assert set(SUBSCRIBABLE_CATEGORIES) < set(CATEGORIES)
