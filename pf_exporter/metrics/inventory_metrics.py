"""The metrics about the polls themselves, and what they are read from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from pf_exporter.inventory import PollStats, Snapshot
from pf_exporter.metrics.self_metric import SelfMetric, by_label, unlabelled
from pf_exporter.schema import MetricType, Resource, Sample, Samples


class Inventory(Protocol):
    """The part of :class:`~pf_exporter.inventory.InventoryPoller` that is read."""

    @property
    def account(self) -> str:
        """The account's name."""

    @property
    def snapshot(self) -> Snapshot:
        """The circuits of the last successful poll."""

    @property
    def failures(self) -> Mapping[str, int]:
        """Failed polls by reason."""

    @property
    def rejected(self) -> Mapping[str, int]:
        """Unusable values by field."""

    @property
    def stats(self) -> PollStats:
        """Requests, failures and successes by resource."""

    def samples(self) -> Iterator[tuple[Resource, str, Mapping[str, Samples]]]:
        """Yield the resource, the ID as received and the samples by family of every circuit."""

    def polled_samples(self) -> Iterator[Sample]:
        """Yield the samples of all other resources; their labels lack the account."""


INVENTORY_METRICS: tuple[SelfMetric[Inventory], ...] = (
    SelfMetric(
        "packetfabric_inventory_last_success_timestamp_seconds",
        MetricType.GAUGE,
        "When the oldest of the lists was last fetched completely; absent until all have been",
        (),
        lambda inventory: unlabelled(inventory.snapshot.at),
    ),
    SelfMetric(
        "packetfabric_inventory_refresh_failures_total",
        MetricType.COUNTER,
        "Polls of the inventory that failed completely or in part, by reason",
        ("reason",),
        lambda inventory: by_label(inventory.failures),
    ),
    SelfMetric(
        "packetfabric_inventory_fields_rejected_total",
        MetricType.COUNTER,
        "Values in the lists that are unusable, such as a speed in an unknown format; counted at each poll",
        ("field",),
        lambda inventory: by_label(inventory.rejected),
    ),
    SelfMetric(
        "packetfabric_inventory_circuits",
        MetricType.GAUGE,
        "Circuits shown, by type",
        ("type",),
        lambda inventory: by_label(
            {name: len(circuits) for name, circuits in inventory.snapshot.circuits.items()}
        ),
    ),
    SelfMetric(
        "packetfabric_inventory_circuits_missing",
        MetricType.GAUGE,
        "Circuits that the last poll did not find but that are still shown, by type",
        ("type",),
        lambda inventory: by_label(inventory.snapshot.count_missing()),
    ),
    SelfMetric(
        "packetfabric_inventory_circuits_left_out",
        MetricType.GAUGE,
        "Circuits not shown because they would exceed the limit of series",
        (),
        lambda inventory: unlabelled(inventory.snapshot.left_out),
    ),
    SelfMetric(
        "packetfabric_poll_requests_total",
        MetricType.COUNTER,
        "Requests to the API by polls, by resource; docs/polling.md lists the resources",
        ("resource",),
        lambda inventory: by_label(inventory.stats.requests),
    ),
    SelfMetric(
        "packetfabric_poll_failures_total",
        MetricType.COUNTER,
        "Polls that failed, by resource and reason",
        ("resource", "reason"),
        lambda inventory: {(name, why): count for (name, why), count in inventory.stats.failures.items()},
    ),
    SelfMetric(
        "packetfabric_poll_last_success_timestamp_seconds",
        MetricType.GAUGE,
        "When the resource, or a part of it, was last read; absent before the first time",
        ("resource",),
        lambda inventory: by_label(inventory.stats.last_success),
    ),
)
"""The families about the inventory itself, in the order of /metrics."""
