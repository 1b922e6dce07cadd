"""From the inventories to metric families, new ones at every scrape, under the ids that the stream uses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from prometheus_client.metrics_core import Metric

from pf_exporter.inventory import InventoryPoller
from pf_exporter.metrics.metric_family import family
from pf_exporter.schema import EVENTS, RATES, REFERENCES, RESOURCES, FamilySpec, MetricType, canonical_id
from pf_exporter.state import LabelValues, Store

IdAliases = Mapping[str, Collection[str]]
"""By plain id, the ids that the stream uses for the circuit; nearly always it is one."""

FAMILIES: tuple[FamilySpec, ...] = (
    *(known for listing in RESOURCES for known in listing.families),
    *(known for pair in RATES.values() for known in pair),
)
"""Every family that comes from the lists, in the order of /metrics."""

INFOS = frozenset(listing.info.name for listing in RESOURCES)
"""The families to whose labels the tags are added."""


class SelfMetric(NamedTuple):
    """A family about the inventory itself: what it is called, and where its numbers are."""

    name: str
    kind: MetricType
    help: str
    labels: tuple[str, ...]
    """Besides ``account``."""
    read: Callable[[InventoryPoller], Mapping[LabelValues, float]]


def _by(values: Mapping[str, float]) -> Mapping[LabelValues, float]:
    return {(label,): value for label, value in list(values.items())}


SELF_METRICS = (
    SelfMetric(
        "packetfabric_inventory_last_success_timestamp_seconds",
        MetricType.GAUGE,
        "When all lists were last fetched whole; what they said then is shown until they are again",
        (),
        lambda inventory: {} if (at := inventory.snapshot.at) is None else {(): at},
    ),
    SelfMetric(
        "packetfabric_inventory_refresh_failures_total",
        MetricType.COUNTER,
        "Refreshes of the inventory that failed whole or in part, by reason",
        ("reason",),
        lambda inventory: _by(inventory.failures),
    ),
    SelfMetric(
        "packetfabric_inventory_fields_rejected_total",
        MetricType.COUNTER,
        "Values in the lists that cannot be used, such as a speed of unknown form; counted at each refresh",
        ("field",),
        lambda inventory: _by(inventory.rejected),
    ),
    SelfMetric(
        "packetfabric_inventory_circuits",
        MetricType.GAUGE,
        "Circuits that are shown, by what they are",
        ("type",),
        lambda inventory: _by({noun: len(known) for noun, known in inventory.snapshot.circuits.items()}),
    ),
    SelfMetric(
        "packetfabric_inventory_circuits_left_out",
        MetricType.GAUGE,
        "Circuits that are not shown because they would take the inventory above the limit of series",
        (),
        lambda inventory: {(): inventory.snapshot.left_out},
    ),
)
"""Every family with an ``account`` label about the inventory itself, in the order of /metrics."""


class InventoryCollector:
    """A collector of prometheus_client over the inventories of all accounts.

    A circuit that the stream knows has the ids it has there, so that families can be joined; any other has
    the id that the list has. ``tags`` are the labels that descriptions may add to info families.
    """

    def __init__(
        self, inventories: Iterable[InventoryPoller], store: Store, tags: Sequence[str] = ()
    ) -> None:
        self._inventories = tuple(inventories)
        self._store = store
        self._tags = tuple(tags)

    def describe(self) -> Iterator[Metric]:
        """The families without their samples."""
        for known in FAMILIES:
            tags = self._tags if known.name in INFOS else ()
            yield family(known.name, known.type, known.documentation, (*known.labels, *tags))
        for own in SELF_METRICS:
            yield family(own.name, own.kind, own.help, ("account", *own.labels))

    def collect(self) -> Iterator[Metric]:
        """The families as they are now."""
        metrics = list(self.describe())
        by_name = dict(zip((known.name for known in FAMILIES), metrics, strict=False))
        aliases = self._aliases()
        for inventory in self._inventories:
            _add(by_name, inventory, aliases.get(inventory.account, {}))
        for own, metric in zip(SELF_METRICS, metrics[len(FAMILIES) :], strict=True):
            for inventory in self._inventories:
                for values, number in own.read(inventory).items():
                    metric.add_metric((inventory.account, *values), number)  # type: ignore[attr-defined]
        yield from metrics

    def _aliases(self) -> Mapping[str, IdAliases]:
        """By account how the stream spells its circuits; what ``port|metrics`` says comes first."""
        found: dict[str, dict[str, dict[str, None]]] = {}
        for name, event in EVENTS.items():
            columns = [column for column, label in enumerate(event.circuit) if label.endswith("circuit_id")]
            for account, rows in self._store.rows(name).items():
                known = found.setdefault(account, {})
                for circuit, _ in rows:
                    for column in columns:
                        known.setdefault(canonical_id(circuit[column]), {})[circuit[column]] = None
        return found


def _add(metrics: Mapping[str, Metric], inventory: InventoryPoller, aliases: IdAliases) -> None:
    def spelt(circuit_id: str) -> Collection[str]:
        return aliases.get(canonical_id(circuit_id)) or (circuit_id,)

    for listing, circuit_id, samples in inventory.samples():
        for name, rows in samples.items():
            add = metrics[name].add_metric  # type: ignore[attr-defined]
            for values, number in rows:
                if name == listing.info.name:
                    own = zip(listing.labels, values, strict=False)  # tags stand behind them
                    respelt = (next(iter(spelt(one))) if label in REFERENCES else one for label, one in own)
                    values = (*respelt, *values[len(listing.labels) :])
                for own_id in spelt(circuit_id):
                    add((inventory.account, own_id, *values), number)
