"""The metrics about the recording."""

from __future__ import annotations

from prometheus_client.metrics_core import Metric

from pf_exporter.metrics.recording_collector import RecordingCollector
from pf_exporter.recording.stats import RecordingStats


def samples(stats: RecordingStats | None) -> dict[str, float]:
    return {
        sample.name: sample.value
        for family in RecordingCollector(stats).collect()
        for sample in family.samples
    }


def test_absent_without_a_recording() -> None:
    """If nothing is recorded there are no families, so that no dashboard shows a recording."""
    assert list(RecordingCollector(None).collect()) == []


def test_counters_are_present_at_zero() -> None:
    """Counters start at 0, so that increase() works; the time of the last success is absent before it."""
    assert samples(RecordingStats()) == {
        "packetfabric_recording_frames_total": 0,
        "packetfabric_recording_bytes_total": 0,
        "packetfabric_recording_failures_total": 0,
    }


def test_values() -> None:
    """Each number is in its family; failures are what was not written and what was not compressed."""
    stats = RecordingStats(frames=1, bytes=20, lost=300, failed_compressions=4000, last_success_at=5.5)
    assert samples(stats) == {
        "packetfabric_recording_frames_total": 1,
        "packetfabric_recording_bytes_total": 20,
        "packetfabric_recording_failures_total": 4300,
        "packetfabric_recording_last_success_timestamp_seconds": 5.5,
    }


def test_describe_matches_collect() -> None:
    """describe() and collect() give the same families."""

    def essence(metric: Metric) -> tuple[str, str, str, str]:
        return metric.name, metric.type, metric.documentation, metric.unit

    described = list(map(essence, RecordingCollector(None).describe()))
    assert described == list(map(essence, RecordingCollector(RecordingStats()).collect()))
