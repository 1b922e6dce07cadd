"""Seconds of the core for a page of every port: all changed, nothing changed, and the usual way."""

from __future__ import annotations

import gzip
import statistics
import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest

from benchmarks.network import ACCOUNT, SERIES_PER_PORT, Network
from pf_exporter.metrics.exposition import Exposition, Format
from pf_exporter.schema.decoder import decode
from pf_exporter.schema.observation import Observation
from pf_exporter.state.store import Store
from tests.metrics.reference_collector import ReferenceCollector


def fill(store: Store, network: Network, number: int) -> None:
    """One round of a network's events into a store."""
    for name, data in network.round(number):
        said = decode(name, data.decode())
        assert isinstance(said, Observation)
        store.write(ACCOUNT, said)


def filled(network: Network) -> Store:
    """A store that has seen every port once."""
    store = Store(ttl=3600, limit=10**9)
    store.add_account(ACCOUNT)
    fill(store, network, 1)
    if store.series()[ACCOUNT] != network.series:
        raise AssertionError("the network is not what it says it is")
    return store


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def measure(ports: int, times: int, usual_times: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds of scrapes with everything changed, with nothing changed, and by prometheus_client and gzip."""
    network = Network(ports)
    store = filled(network)
    page = Exposition(store, CollectorRegistry())
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ReferenceCollector(store))
    changed: list[float] = []
    unchanged: list[float] = []
    usual: list[float] = []
    page.gzip(Format.TEXT)
    for number in range(2, times + 2):
        fill(store, network, number)
        changed.append(_seconds(lambda: page.gzip(Format.TEXT)))
        unchanged.append(_seconds(lambda: page.gzip(Format.TEXT)))
        if len(usual) < usual_times:
            usual.append(_seconds(lambda: gzip.compress(generate_latest(registry))))
    return changed, unchanged, usual


def per_series(ports: int, times: int) -> list[float]:
    """Seconds for each series, of scrapes with everything changed; beyond those for a page without any."""
    changed, _, _ = measure(ports, times, 0)
    empty = statistics.median(measure(0, 50, 0)[0])
    return [(seconds - empty) / (ports * SERIES_PER_PORT) for seconds in changed]
