"""Samples with their values at one time, for senders that push instead of being scraped."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from pf_exporter.metrics.stream_families import LAST_EVENT_LABELS, SERIES, last_events
from pf_exporter.schema import EVENTS
from pf_exporter.state import Store


def collect_samples(collector: Collector) -> Iterator[Sample]:
    """Yield the samples of all families of a collector."""
    for family in collector.collect():
        yield from family.samples


def circuit_samples(store: Store) -> Iterator[Sample]:
    """Yield the samples of the store that are the values of no event; expires rows first."""
    for event in EVENTS.values():
        name, last = last_events(event, store.rows(event.name))
        for values, received_at in last.items():
            yield Sample(name, dict(zip(LAST_EVENT_LABELS[name], values, strict=True)), received_at)
    for account, series in store.series().items():
        yield Sample(SERIES, {"account": account}, series)
