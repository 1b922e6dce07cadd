"""The outcome of the last reload as metrics."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pf_exporter.metrics.reload_status import (
    ReloadStatus,
    config_reload_status,
    web_config_reload_status,
)


def samples(status: ReloadStatus) -> dict[str, float]:
    return {sample.name: sample.value for family in status.collect() for sample in family.samples}


def test_absent_before_the_first_success() -> None:
    """Without a configuration in force there are no samples, even after a failure."""
    status = config_reload_status()
    assert samples(status) == {}
    status.failed(["a problem"])
    assert samples(status) == {}
    assert status.problems == ("a problem",)


def test_a_failure_keeps_the_time_of_the_last_success(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a failure the status is 0 and the timestamp stays; a success sets both."""
    now = 1000.0
    monkeypatch.setattr("pf_exporter.metrics.reload_status.time.time", lambda: now)
    status = config_reload_status()
    successful = "packetfabric_config_last_reload_successful"
    timestamp = "packetfabric_config_last_reload_success_timestamp_seconds"
    status.succeeded()
    assert samples(status) == {successful: 1.0, timestamp: 1000.0}
    now = 1001.0
    status.failed(["a problem"])
    assert samples(status) == {successful: 0.0, timestamp: 1000.0}
    status.succeeded()
    assert samples(status) == {successful: 1.0, timestamp: 1001.0}
    assert status.problems == ()


@pytest.mark.parametrize("create", [config_reload_status, web_config_reload_status])
def test_describe_matches_collect(create: Callable[[], ReloadStatus]) -> None:
    """describe() and collect() give the same families."""
    status = create()
    status.succeeded()
    described = [(m.name, m.type, m.documentation, m.unit) for m in status.describe()]
    assert described == [(m.name, m.type, m.documentation, m.unit) for m in status.collect()]
