"""The metrics about remote write."""

from __future__ import annotations

from pathlib import Path

from pf_exporter.config import RemoteWriteSettings
from pf_exporter.metrics.remote_storage_collector import RemoteStorageCollector
from pf_exporter.metrics.samples import collect_samples
from pf_exporter.remote_write import Endpoint
from pf_exporter.remote_write.loss import DROPPED, Loss


def _values(endpoint: Endpoint) -> dict[tuple[str, str], float]:
    return {
        (
            sample.name.removeprefix("packetfabric_remote_storage_"),
            sample.labels.get("reason", ""),
        ): sample.value
        for sample in collect_samples(RemoteStorageCollector([endpoint]))
    }


def test_values(tmp_path: Path) -> None:
    """Each number of an endpoint is a sample; each reason is there from the start."""
    settings = RemoteWriteSettings(name="main", url="http://127.0.0.1:9/", spool_path=str(tmp_path))
    endpoint = Endpoint(settings, "host:1", lambda exc: None)
    assert _values(endpoint) == {
        ("samples_total", ""): 0,
        ("samples_failed_total", "rejected"): 0,
        **{("samples_dropped_total", str(loss)): 0 for loss in DROPPED},
        ("samples_pending", ""): 0,
        ("bytes_total", ""): 0,
        ("spool_bytes", ""): 0,
    }
    endpoint.stats.sent(7, 100, 5000)
    endpoint.stats.lost(Loss.REJECTED, 2)
    endpoint.stats.lost(Loss.TOO_OLD, 3)
    values = _values(endpoint)
    assert values["samples_total", ""] == 7
    assert values["bytes_total", ""] == 100
    assert values["highest_sent_timestamp_seconds", ""] == 5
    assert values["samples_failed_total", "rejected"] == 2
    assert values["samples_dropped_total", "too_old"] == 3
    endpoint.start()
    endpoint.stop()


def test_off() -> None:
    """Without an endpoint there is no family, but each is described."""
    assert list(RemoteStorageCollector(()).collect()) == []
    assert len(list(RemoteStorageCollector(()).describe())) == 7
