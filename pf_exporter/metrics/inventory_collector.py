"""Metric families of the polled resources, under the circuit IDs that the stream uses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from prometheus_client.metrics_core import Metric

from pf_exporter.inventory import PollStats, Snapshot
from pf_exporter.metrics.metric_family import family_from_spec
from pf_exporter.metrics.parts import Part, PartCollector
from pf_exporter.metrics.row_family import RowFamily
from pf_exporter.metrics.self_metric import SelfMetric, by_label, collect, describe, unlabelled
from pf_exporter.schema import (
    EVENTS,
    POLLED,
    REFERENCES,
    RESOURCES,
    FamilySpec,
    MetricType,
    Resource,
    Sample,
    Samples,
    canonical_id,
)
from pf_exporter.state import Store

IdAliases = Mapping[str, Collection[str]]
"""By canonical ID, the forms of the ID in the stream, with or without ``-PF``; almost always one."""

FAMILIES: tuple[FamilySpec, ...] = (
    *(family for resource in RESOURCES for family in resource.families),
    *(family for resource in POLLED for family in resource.families),
)
"""The families of the polled resources, in the order of /metrics."""

_CIRCUIT_LABELS = ("port_circuit_id", "vc_circuit_id", "cloud_circuit_id", "circuit_id")

INFO_FAMILIES = frozenset(resource.info.name for resource in RESOURCES)
"""Names of the families that have the tags of descriptions as labels."""


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
        "When all lists were last fetched completely; their contents are shown until the next success",
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


class InventoryCollector(PartCollector):
    """Collects the families of the polled resources, for all accounts.

    A circuit that has sent events has its ID in the form that they use, so that families can be joined; any
    other circuit has the ID of the list. ``tags`` are the labels that descriptions may add to
    info families.
    """

    part = Part.INVENTORY

    def __init__(self, inventories: Iterable[Inventory], store: Store, tags: Sequence[str] = ()) -> None:
        self._inventories = tuple(inventories)
        self._store = store
        self._tags = tuple(tags)

    def _families(self) -> Iterator[RowFamily]:
        for spec in FAMILIES:
            tags = self._tags if spec.name in INFO_FAMILIES else ()
            yield RowFamily(family_from_spec(spec, tags), (*spec.labels, *tags))

    def describe(self) -> Iterator[Metric]:
        """Yield the families without samples."""
        yield from self._families()
        yield from describe(INVENTORY_METRICS)

    def collect(self) -> Iterator[Metric]:
        """Yield the families with their current samples; one without any is left out, as Go's client does."""
        families = dict(zip((spec.name for spec in FAMILIES), self._families(), strict=True))
        aliases = self._aliases()
        for inventory in self._inventories:
            _add_samples(families, inventory, aliases.get(inventory.account, {}))
            _add_polled_samples(families, inventory, aliases.get(inventory.account, {}))
        yield from (family for family in families.values() if len(family))
        yield from collect(INVENTORY_METRICS, self._inventories)

    def _aliases(self) -> Mapping[str, IdAliases]:
        """Return, by account, the forms of circuit IDs in its stream; those in port|metrics come first."""
        aliases: dict[str, dict[str, dict[str, None]]] = {}
        for name, event in EVENTS.items():
            columns = [column for column, label in enumerate(event.circuit) if label.endswith("circuit_id")]
            for account, rows in self._store.rows(name).items():
                of_account = aliases.setdefault(account, {})
                for circuit, _ in rows:
                    for column in columns:
                        stream_id = circuit[column]
                        of_account.setdefault(canonical_id(stream_id), {})[stream_id] = None
        return aliases


def _add_samples(families: Mapping[str, RowFamily], inventory: Inventory, aliases: IdAliases) -> None:
    """Add an account's samples, a circuit under each form of its ID."""
    for resource, circuit_id, samples in inventory.samples():
        stream_ids = _stream_ids(circuit_id, aliases)
        for name, rows in samples.items():
            if name == resource.info.name:
                rows = _with_stream_ids(resource, rows, aliases)
            for labels, value in rows:
                for stream_id in stream_ids:
                    families[name].add((inventory.account, stream_id, *labels), value)


_CIRCUIT_COLUMNS: Mapping[str, int] = {
    family.name: column
    for resource in POLLED
    for family in resource.families
    for column, label in enumerate(family.labels[1:])
    if label in _CIRCUIT_LABELS
}
"""By family of the other resources, which of a sample's labels is the ID of a circuit."""


def _add_polled_samples(families: Mapping[str, RowFamily], inventory: Inventory, aliases: IdAliases) -> None:
    """Add an account's samples of the other resources, a circuit under each form of its ID."""
    for name, labels, value in inventory.polled_samples():
        column = _CIRCUIT_COLUMNS.get(name)
        if column is None:
            families[name].add((inventory.account, *labels), value)
            continue
        before, after = labels[:column], labels[column + 1 :]
        for stream_id in _stream_ids(labels[column], aliases):
            families[name].add((inventory.account, *before, stream_id, *after), value)


def _stream_ids(circuit_id: str, aliases: IdAliases) -> Collection[str]:
    return aliases.get(canonical_id(circuit_id)) or (circuit_id,)


def _with_stream_ids(resource: Resource, rows: Samples, aliases: IdAliases) -> Samples:
    """Return an info family's rows with the IDs of other circuits in the form that the stream uses."""
    count = len(resource.labels)  # the values of tags follow
    result = []
    for values, number in rows:
        spelled = (
            next(iter(_stream_ids(value, aliases))) if label in REFERENCES else value
            for label, value in zip(resource.labels, values[:count], strict=True)
        )
        result.append(((*spelled, *values[count:]), number))
    return result
