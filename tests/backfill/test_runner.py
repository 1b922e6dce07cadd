"""The progress of a backfill."""

from __future__ import annotations

from pathlib import Path

from pf_exporter.backfill.request import BackfillRequest
from pf_exporter.backfill.runner import BackfillRunner
from pf_exporter.backfill.spool import Spool
from tests.state.harness import Clock


class Collected:
    """A collector that a test moves."""

    total = done = refused = 0

    def collect(self) -> None:
        """Collect nothing."""


def test_progress(tmp_path: Path) -> None:
    """Requests and samples so far, and the time that is left at the pace so far."""
    clock, collector = Clock(0.0), Collected()
    spool = Spool(tmp_path / "spool", {})
    runner = BackfillRunner(BackfillRequest("x", 0, 1), spool, collector, lambda: None, clock=clock)
    assert runner.progress() == ("0 samples", None)
    collector.total = 1200
    assert runner.progress() == ("0 of 1,200 requests, 0 samples", 0.0)
    collector.done, spool.samples, clock.now = 300, 5000, 600.0
    assert runner.progress() == ("300 of 1,200 requests, 5,000 samples, 30 min left", 0.25)
    spool.close()
