"""The collectors of everything that is not rendered from the store; a reload replaces those of accounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from pf_exporter.config import Config
from pf_exporter.metrics import (
    Collector,
    CollectorGroup,
    ExporterCollector,
    InventoryCollector,
    build_registry,
    circuit_samples,
    collect_samples,
)
from pf_exporter.service.pipeline import AccountPipeline
from pf_exporter.state import Store

if TYPE_CHECKING:
    from pf_exporter.remote_write import SampleSource


class Collectors:
    """The polled metrics, and the exporter's own: those of accounts, ``others``, and those of the process."""

    def __init__(self, config: Config, store: Store, others: Iterable[Collector]) -> None:
        self._store = store
        self._inventory = CollectorGroup()
        self._accounts = CollectorGroup()
        self._own = build_registry(
            (self._accounts, *others), process_metrics=not config.web.disable_exporter_metrics
        )
        self.registry = build_registry((self._inventory, self._own), process_metrics=False)

    def update(self, config: Config, pipelines: Sequence[AccountPipeline]) -> None:
        """Replace the collectors of accounts."""
        inventories = [pipeline.inventory for pipeline in pipelines]
        tags = config.inventory.description_tags
        self._inventory.collectors = (InventoryCollector(inventories, self._store, tags),)
        self._accounts.collectors = (ExporterCollector(pipeline.stats for pipeline in pipelines),)

    def sources(self) -> Mapping[str, SampleSource]:
        """Return the sources of samples for remote write, by the item of ``send`` that asks for them."""
        return {
            "stream": lambda: circuit_samples(self._store),
            "own": lambda: collect_samples(self._own),
            "inventory": lambda: collect_samples(self._inventory),
        }
