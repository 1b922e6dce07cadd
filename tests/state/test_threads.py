"""The store used by several threads at once."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Iterator

import pytest

from pf_exporter.schema.events import EVENTS, families
from pf_exporter.state.store import Store
from tests.metrics.reference_collector import ReferenceCollector
from tests.state.harness import TTL, Clock, T, observation


@pytest.fixture
def frequent_thread_switches() -> Iterator[None]:
    """Switch between threads a thousand times as often as usual."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("frequent_thread_switches")
@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_shown_completely_or_not_at_all(event: str) -> None:
    """While a thread writes events whose values are all equal, no scrape mixes two events."""
    store = Store(ttl=TTL, limit=100_000)
    store.add_account("a")
    collector = ReferenceCollector(store)
    stop = threading.Event()

    def write() -> None:
        for count in itertools.count(1):
            for circuit in "pq":
                store.write("a", observation(count * 8000.0, circuit, event, lanes=1 + count % 4), T)
            if stop.is_set():
                break

    seen = set()
    writer = threading.Thread(target=write, name="writer")
    writer.start()
    try:
        for scrape in range(5000):
            shown: dict[str, set[float]] = {"p": set(), "q": set()}
            for family, known in zip(collector.collect(), families(), strict=False):
                if known.source.startswith(event):
                    for sample in family.samples:
                        circuit = sample.labels.get("vc_circuit_id") or sample.labels["port_circuit_id"]
                        shown[circuit].add(sample.value * known.divisor)
            assert [circuit for circuit, numbers in shown.items() if len(numbers) > 1] == []
            seen |= shown["p"]
            if scrape > 50 and len(seen) > 10:
                break
    finally:
        stop.set()
        writer.join()
    assert len(seen) > 10


@pytest.mark.usefixtures("frequent_thread_switches")
def test_many_threads_may_write() -> None:
    """After four threads have written, expired and been refused at once, the counts are right."""
    clock = Clock(0.0)
    store = Store(ttl=5.0, limit=200, clock=clock)
    for account in "abcd":
        store.add_account(account)
    start = threading.Barrier(4)
    failures: list[BaseException] = []

    def write(account: str) -> None:
        start.wait()
        try:
            for index in range(1500):
                clock.now += 0.01
                event = ("port|metrics", "port|optical")[index % 2]
                store.write(account, observation(1.0, f"p{index % 37}", event, lanes=index % 5), T)
        except BaseException as exc:  # noqa: BLE001 - told by the main thread
            failures.append(exc)

    threads = [threading.Thread(target=write, args=(account,)) for account in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    held = dict.fromkeys("abcd", 0)
    for event in EVENTS:
        for account, rows in store.rows(event).items():
            held[account] += sum(1 + len(row.values) - row.values.count(None) for _, row in rows)
    assert held == store.series()
    assert sum(held.values()) <= 200


def test_the_clock_is_read_under_the_lock() -> None:
    """Another thread cannot use the store while the clock is read, so that times never decrease."""
    blocked: list[bool] = []

    def clock() -> float:
        thread = threading.Thread(target=store.series, daemon=True)
        thread.start()
        thread.join(0.1)
        blocked.append(thread.is_alive())
        return 0.0

    store = Store(ttl=TTL, limit=100, clock=clock)
    store.add_account("a")
    store.write("a", observation(1.0), T)
    store.rows("port|metrics")
    store.version("port|metrics")
    assert blocked == [True] * 3
