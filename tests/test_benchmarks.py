"""The benchmarks run; no test asserts how fast anything is."""

from __future__ import annotations

from benchmarks import __main__ as benchmarks
from benchmarks import ingest, memory, remote_write, scrape, start
from benchmarks.generator import SERIES_PER_PORT, EventGenerator
from benchmarks.process import run_isolated
from benchmarks.report import Result, describe_machine, format_spread, format_table


def test_generated_events_are_stored() -> None:
    """A port has 78 series in the store, and the events of each sample are new."""
    generator = EventGenerator(3)
    store = scrape.filled_store(generator)
    assert store.series() == {"default": 3 * SERIES_PER_PORT}
    before = store.version("port|errors")
    scrape.write_sample(store, generator, 2)
    assert store.version("port|errors") == before + 3


def test_measurements_return_values() -> None:
    """Each measurement returns values above zero at the smallest size."""
    assert run_isolated(ingest.exporter, 1, 0.1) > 0
    assert run_isolated(ingest.naive, 1, 0.1) > 0
    assert run_isolated(ingest.floor, 1, 0.1) > 0
    assert all(all(seconds) for seconds in scrape.measure(2, 1, 1))
    assert len(scrape.per_series(1, 1)) == 1
    assert [len(seconds) for seconds in scrape.event_timestamps(1, 1)] == [2, 2]
    # Below some hundred ports, all of it fits into memory that the interpreter has already.
    assert run_isolated(memory.exporter, 500) > 0
    assert run_isolated(memory.gauges, 20) > 0


def test_measurements_of_remote_write() -> None:
    """Samples reach the receiver, and memory is bounded, at the smallest size."""
    assert run_isolated(remote_write.sent, 2, 40) > 0
    assert run_isolated(remote_write.alone, 1, 0.1) > 0
    rate, share = run_isolated(remote_write.while_sending, 1, 0.1)
    assert rate > 0
    assert 0 < share <= 1
    assert run_isolated(remote_write.waiting, 1, 100) >= 0


def test_measurements_with_scrapers() -> None:
    """The measurements with scrapers receive events and pages over HTTP."""
    scraped, alone = run_isolated(ingest.while_scraped, 1, 0.1, 1)
    assert scraped[0] > 0
    assert alone[0] > 0
    _, body = run_isolated(memory.peak, 1, "gzip", 2)
    assert body > 1000


def test_starts() -> None:
    """Both exporters answer with a page and have memory; a command takes CPU time."""
    with start.simulated_network() as simulator:
        measured = [start.exporter(simulator, 0.1), start.trivial(0.1)]
    assert all(one.first_page > 0 and one.resident > 1 << 20 and one.stop > 0 for one in measured)
    assert start.cpu_time("-c", "pass") > 0


def test_table() -> None:
    """The table has medians with their spreads, and whether each target is met."""
    results = [
        Result("faster", format_spread([3.0, 1.0, 2.0], "{:.1f}"), "1", 2.0, 1.5),
        Result("smaller", "1", "1", 2.0, 1.5, at_most=True),
    ]
    text = format_table(results)
    assert "| faster      | 2.0 (1.0 to 3.0) |" in text
    assert [result.met for result in results] == [True, False]
    assert "isal" in describe_machine()
    assert benchmarks.QUICK.ports < benchmarks.FULL.ports
