"""Samples read back from pages of metrics."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge

from pf_exporter.metrics.exposition import Exposition, Format
from pf_exporter.metrics.parser import parse_samples
from pf_exporter.state import Store

AWKWARD = 'a\\b"c\nd{e} f,g="h"'


@pytest.mark.parametrize("format", Format)
def test_samples(format: Format) -> None:
    """What the exporter writes is read back in any format: only the wanted names, and labels in full."""
    registry = CollectorRegistry()
    Gauge("power_dbm", "Power.", ["circuit"], registry=registry).labels(AWKWARD).set(-5.25)
    Counter("errors", "Errors.", registry=registry).inc(7)
    Gauge("other", "Other.", registry=registry).set(1)
    page = Exposition(Store(ttl=1, limit=1), registry).plain(format).decode()
    assert list(parse_samples(page, format.value, {"power_dbm", "errors_total"})) == [
        ("power_dbm", {"circuit": AWKWARD}, -5.25),
        ("errors_total", {}, 7.0),
    ]


@pytest.mark.parametrize(
    ("text", "content_type"),
    [("power_dbm{circuit=} x\n", "text/plain"), ("power_dbm 1\n", "application/openmetrics-text")],
)
def test_damaged_text(text: str, content_type: str) -> None:
    """Text that is in neither format is a ValueError; OpenMetrics needs an end."""
    with pytest.raises(ValueError, match=r".+"):
        list(parse_samples(text, content_type, {"power_dbm"}))
