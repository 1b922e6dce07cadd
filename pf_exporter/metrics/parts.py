"""The parts of the page that a scrape may ask for, and the accounts it may be limited to."""

from __future__ import annotations

import copy
import enum
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pf_exporter.schema import EventType


class Part(enum.Enum):
    """A part of the page; the value is its name in the query."""

    PORT_METRICS = "port_metrics"
    VC_METRICS = "vc_metrics"
    PORT_ERRORS = "port_errors"
    PORT_ETHERSTATS = "port_etherstats"
    PORT_OPTICAL = "port_optical"
    ACTIVITY = "activity"
    INVENTORY = "inventory"
    EXPORTER = "exporter"


def part_of(event: EventType) -> Part:
    """Return the part with the families of an event."""
    return Part(event.name.replace("|", "_"))


ALL_PARTS = frozenset(Part)


class Selection(NamedTuple):
    """What a page shows."""

    parts: frozenset[Part] = ALL_PARTS
    accounts: frozenset[str] = frozenset()
    """Series of other accounts are left out; all accounts are shown if it is empty."""

    def includes(self, account: str | None) -> bool:
        """Return whether series with this label ``account``, or without the label, are shown."""
        return not self.accounts or account is None or account in self.accounts


WHOLE_PAGE = Selection()


class PartCollector(Collector):
    """A collector whose families belong to one part; a subclass may have several."""

    part = Part.EXPORTER

    def collect_parts(self, parts: Collection[Part]) -> Iterator[Metric]:
        """Yield the families of these parts with their current samples."""
        if self.part in parts:
            yield from self.collect()


def collect_parts(collectors: Iterable[Collector], parts: Collection[Part]) -> Iterator[Metric]:
    """Yield the families of these parts; a collector that knows no parts belongs to the exporter."""
    for collector in collectors:
        if isinstance(collector, PartCollector):
            yield from collector.collect_parts(parts)
        elif Part.EXPORTER in parts:
            yield from collector.collect()


class SelectedFamilies(Collector):
    """The families of a collector that a selection shows."""

    def __init__(self, collector: Collector, selection: Selection) -> None:
        self._collector = collector
        self._selection = selection

    def collect(self) -> Iterator[Metric]:
        """Yield the families; one that has series of other accounts only is left out."""
        includes = self._selection.includes
        for family in collect_parts((self._collector,), self._selection.parts):
            if self._selection.accounts and family.samples:
                family = copy.copy(family)
                family.samples = [s for s in family.samples if includes(s.labels.get("account"))]
                if not family.samples:
                    continue
            yield family
