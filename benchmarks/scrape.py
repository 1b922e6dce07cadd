"""CPU seconds for the page of all ports: all values changed, none changed, and with prometheus_client."""

from __future__ import annotations

import functools
import gzip
import statistics
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest

from benchmarks.generator import ACCOUNT, SERIES_PER_PORT, EventGenerator
from pf_exporter.metrics.exposition import Exposition, Format
from pf_exporter.schema.decoder import decode
from pf_exporter.schema.observation import Observation
from pf_exporter.state.store import Store
from tests.metrics.reference_collector import ReferenceCollector


def write_sample(store: Store, generator: EventGenerator, number: int) -> None:
    """Write one sample of all events to a store."""
    for name, data in generator.sample(number):
        observation = decode(name, data.decode())
        assert isinstance(observation, Observation)
        store.write(ACCOUNT, observation, time.time())


def filled_store(generator: EventGenerator) -> Store:
    """Return a store with one sample of all events."""
    store = Store(ttl=3600, limit=10**9)
    store.add_account(ACCOUNT)
    write_sample(store, generator, 1)
    series = store.series()[ACCOUNT]
    if series != generator.series:
        raise AssertionError(f"{series} series in the store instead of {generator.series}")
    return store


def _cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(ports: int, runs: int, baseline_runs: int) -> tuple[list[float], list[float], list[float]]:
    """Return seconds per page: all values changed, none changed, and with ``generate_latest`` and gzip."""
    generator = EventGenerator(ports)
    store = filled_store(generator)
    page = Exposition(store, CollectorRegistry())
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ReferenceCollector(store))
    changed: list[float] = []
    unchanged: list[float] = []
    baseline: list[float] = []
    page.gzip(Format.TEXT)
    for number in range(2, runs + 2):
        write_sample(store, generator, number)
        changed.append(_cpu_seconds(lambda: page.gzip(Format.TEXT)))
        unchanged.append(_cpu_seconds(lambda: page.gzip(Format.TEXT)))
        if len(baseline) < baseline_runs:
            baseline.append(_cpu_seconds(lambda: gzip.compress(generate_latest(registry))))
    return changed, unchanged, baseline


def event_timestamps(ports: int, runs: int) -> tuple[list[float], list[float]]:
    """Return seconds per page on which all values changed, with event timestamps and without; alternating."""
    generator = EventGenerator(ports)
    store = filled_store(generator)
    pages = [
        Exposition(store, CollectorRegistry(), event_timestamps=event_timestamps)
        for event_timestamps in (True, False)
    ]
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(2, 2 * runs + 2):
        write_sample(store, generator, number)
        for index in (0, 1) if number % 2 else (1, 0):
            seconds[index].append(_cpu_seconds(functools.partial(pages[index].gzip, Format.TEXT)))
    return seconds


def per_series(ports: int, runs: int) -> list[float]:
    """Return seconds per series with all values changed, without the cost of an empty page."""
    changed, _, _ = measure(ports, runs, 0)
    empty = statistics.median(measure(0, 50, 0)[0])
    return [(seconds - empty) / (ports * SERIES_PER_PORT) for seconds in changed]
