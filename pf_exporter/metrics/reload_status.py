"""Whether what was last read of a configuration could be used, as metrics and as words."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class ReloadStatus(Collector):
    """The last reading of one configuration, and the last that succeeded; any thread may look.

    ``prefix`` begins the names of its two families, and ``what`` says in their help what was read.
    """

    def __init__(self, prefix: str, what: str) -> None:
        self._prefix = prefix
        self._what = what
        self.problems: Sequence[str] = ()
        """Why the last reading could not be used; none if it could."""
        self.succeeded_at: float | None = None
        """UNIX seconds; None before the first that could be used."""

    def succeeded(self) -> None:
        """It was read, and is in force."""
        self.problems = ()
        self.succeeded_at = time.time()

    def failed(self, problems: Sequence[str]) -> None:
        """It could not be used; what was in force stays."""
        self.problems = tuple(problems)

    def describe(self) -> Iterator[Metric]:
        """The families without samples."""
        yield GaugeMetricFamily(
            f"{self._prefix}_last_reload_successful",
            f"Whether {self._what} could be used when last read; if not, what was in force stays.",
        )
        yield GaugeMetricFamily(
            f"{self._prefix}_last_reload_success_timestamp_seconds",
            f"When {self._what} was last read and could be used.",
            unit="seconds",
        )

    def collect(self) -> Iterator[Metric]:
        """The families as they are now; none before the first reading."""
        if self.succeeded_at is None:
            return
        successful, at = self.describe()
        successful.add_metric((), float(not self.problems))  # type: ignore[attr-defined]
        at.add_metric((), self.succeeded_at)  # type: ignore[attr-defined]
        yield from (successful, at)


def of_config() -> ReloadStatus:
    """For the exporter's own configuration."""
    return ReloadStatus("packetfabric_config", "the configuration")


def of_web_config() -> ReloadStatus:
    """For the file of --web.config.file."""
    return ReloadStatus("packetfabric_web_config", "the file of --web.config.file")
