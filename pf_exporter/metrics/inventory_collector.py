"""Metric families of the polled resources, under the circuit IDs that the stream uses."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from prometheus_client.metrics_core import Metric

from pf_exporter.metrics.inventory_metrics import INVENTORY_METRICS, Inventory
from pf_exporter.metrics.metric_family import family_from_spec
from pf_exporter.metrics.parts import Part, PartCollector
from pf_exporter.metrics.row_family import RowFamily
from pf_exporter.metrics.self_metric import collect, describe
from pf_exporter.schema import (
    EVENTS,
    POLLED,
    REFERENCES,
    RESOURCES,
    FamilySpec,
    Resource,
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
    """Add an account's samples of the other resources, a circuit under each form of its ID.

    Two resources, or two forms of an ID, can give the same series: the first sample counts, because
    Prometheus refuses a page with two.
    """
    added: set[tuple[str, tuple[str, ...]]] = set()
    for name, labels, value in inventory.polled_samples():
        for spelled in _spellings(labels, _CIRCUIT_COLUMNS.get(name), aliases):
            if (name, spelled) not in added:
                added.add((name, spelled))
                families[name].add((inventory.account, *spelled), value)


def _spellings(labels: tuple[str, ...], column: int | None, aliases: IdAliases) -> Iterator[tuple[str, ...]]:
    """Yield labels with each form of the circuit's ID, which is in this column."""
    if column is None:
        yield labels
        return
    for stream_id in _stream_ids(labels[column], aliases):
        yield (*labels[:column], stream_id, *labels[column + 1 :])


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
