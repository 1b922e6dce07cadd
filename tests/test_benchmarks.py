"""The benchmarks run; how fast anything is, they say, and no test does."""

from __future__ import annotations

from benchmarks import __main__ as benchmarks
from benchmarks import ingest, memory, scrape
from benchmarks.network import SERIES_PER_PORT, Network
from benchmarks.process import fresh
from benchmarks.report import Line, machine, spread, table


def test_the_network_is_what_it_says() -> None:
    """A port is 78 series to the store, and each round of its events counts as new."""
    network = Network(3)
    store = scrape.filled(network)
    assert store.series() == {"default": 3 * SERIES_PER_PORT}
    before = store.version("port|errors")
    scrape.fill(store, network, 2)
    assert store.version("port|errors") == before + 3


def test_every_measurement_measures_something() -> None:
    """Each measurement of the table gives numbers above zero, at the smallest size there is."""
    assert fresh(ingest.exporter, 1, 0.1) > 0
    assert fresh(ingest.naive, 1, 0.1) > 0
    assert all(all(seconds) for seconds in scrape.measure(2, 1, 1))
    assert len(scrape.per_series(1, 1)) == 1
    assert fresh(memory.exporter, 20) >= 0
    assert fresh(memory.gauges, 20) > 0


def test_serving_is_measured_over_http() -> None:
    """The measurements with scrapers get pages and events, by turns."""
    scraped, alone = fresh(ingest.while_scraped, 1, 0.1, 1)
    assert scraped[0] > 0
    assert alone[0] > 0
    _, body = fresh(memory.peak, 1, "gzip", 2)
    assert body > 1000


def test_the_table() -> None:
    """Medians with their spreads, and whether what is reached is what is wanted."""
    lines = [
        Line("faster", spread([3.0, 1.0, 2.0], "{:.1f}"), "1", 2.0, 1.5),
        Line("smaller", "1", "1", 2.0, 1.5, at_most=True),
    ]
    text = table(lines)
    assert "| faster  | 2.0 (1.0 to 3.0) |" in text
    assert [line.good for line in lines] == [True, False]
    assert "isal" in machine()
    assert benchmarks.QUICK.ports < benchmarks.FULL.ports
