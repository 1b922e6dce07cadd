"""Whether the last reload of a configuration succeeded, and why not."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class ReloadStatus(Collector):
    """The outcome of the last reload of one configuration; any thread may call.

    ``prefix`` is the start of the names of its two families; ``what`` names the configuration in their help.
    """

    def __init__(self, prefix: str, what: str) -> None:
        self._prefix = prefix
        self._what = what
        self.problems: Sequence[str] = ()
        """Why the last reload failed; empty if it succeeded."""
        self.succeeded_at: float | None = None
        """UNIX seconds of the last success; None before the first."""

    def succeeded(self) -> None:
        """Record that the configuration was loaded and is in force."""
        self.problems = ()
        self.succeeded_at = time.time()

    def failed(self, problems: Sequence[str]) -> None:
        """Record that the configuration cannot be used; the previous one stays in force."""
        self.problems = tuple(problems)

    def _families(self) -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
        return (
            GaugeMetricFamily(
                f"{self._prefix}_last_reload_successful",
                f"Whether the last reload of {self._what} succeeded; if not, the previous one is in force.",
            ),
            GaugeMetricFamily(
                f"{self._prefix}_last_reload_success_timestamp_seconds",
                f"When {self._what} was last loaded successfully.",
                unit="seconds",
            ),
        )

    def describe(self) -> Iterator[Metric]:
        """Yield the families without samples."""
        yield from self._families()

    def collect(self) -> Iterator[Metric]:
        """Yield the families with their current samples; none before the first success."""
        succeeded_at = self.succeeded_at
        if succeeded_at is None:
            return
        successful, timestamp = self._families()
        successful.add_metric((), float(not self.problems))
        timestamp.add_metric((), succeeded_at)
        yield successful
        yield timestamp


def config_reload_status() -> ReloadStatus:
    """Create the status of the exporter's configuration."""
    return ReloadStatus("packetfabric_config", "the configuration")


def web_config_reload_status() -> ReloadStatus:
    """Create the status of the file of ``--web.config.file``."""
    return ReloadStatus("packetfabric_web_config", "the file of --web.config.file")
