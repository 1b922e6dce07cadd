"""What the status page shows of remote write."""

from __future__ import annotations

from pathlib import Path

from pf_exporter.config import RemoteWriteSettings
from pf_exporter.remote_write import Endpoint
from pf_exporter.remote_write.loss import Loss
from pf_exporter.web.page_values import Severity
from pf_exporter.web.sending import endpoint_entries


def test_entries(tmp_path: Path) -> None:
    """The state of an endpoint, what waits, and what is lost."""
    settings = RemoteWriteSettings(name="main", url="http://127.0.0.1:9/x", spool_path=str(tmp_path))
    endpoint = Endpoint(settings, "host:1", lambda exc: None)
    (entry,) = endpoint_entries([endpoint], 1000.0)
    assert (entry.state, entry.severity, entry.newest, entry.lost) == (
        "Nothing sent yet",
        Severity.WARNING,
        "–",
        "none",
    )
    endpoint.stats.sent(1234, 100, 940_000)
    endpoint.stats.lost(Loss.REJECTED, 3)
    (entry,) = endpoint_entries([endpoint], 1000.0)
    assert (entry.name, entry.host, entry.state, entry.severity) == (
        "main",
        "127.0.0.1:9",
        "Sending",
        Severity.GOOD,
    )
    assert (entry.sent, entry.newest, entry.lost, entry.spool) == ("1,234", "60 s ago", "3 rejected", "0 B")
    endpoint.stats.request_failed("HTTP 500")
    (entry,) = endpoint_entries([endpoint], 1000.0)
    assert (entry.state, entry.severity, entry.problem) == ("Failing", Severity.BAD, "HTTP 500")
    endpoint.start()
    endpoint.stop()
