"""``python -m benchmarks``: measures everything in one run and prints one table."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks import ingest, memory, scrape
from benchmarks.network import SERIES_PER_PORT
from benchmarks.process import fresh
from benchmarks.report import Line, machine, spread, table


class Size(NamedTuple):
    """How much is measured."""

    ports: int
    ingest_ports: int
    flat_ports: tuple[int, ...]
    seconds: float
    times: int
    usual_times: int
    scrapers: int


FULL = Size(5000, 500, (13, 130, 1300, 12_821), 2.0, 5, 3, 20)
QUICK = Size(5, 2, (2, 4), 0.05, 2, 1, 2)

_EVENTS = "{:,.0f}"


def _ingest(size: Size) -> Iterator[Line]:
    ours, usual = [], []
    for _ in range(size.times):
        ours.append(fresh(ingest.exporter, size.ingest_ports, size.seconds))
        usual.append(fresh(ingest.naive, size.ingest_ports, size.seconds))
    ratio = statistics.median(ours) / statistics.median(usual)
    yield Line(
        "ingest, events per second of the core", spread(ours, _EVENTS), spread(usual, _EVENTS), ratio, 5
    )


def _scrapes(size: Size) -> Iterator[Line]:
    changed, unchanged, usual = fresh(scrape.measure, size.ports, size.times, size.usual_times)
    against, series = spread(usual, "{:.2f}"), f"{size.ports * SERIES_PER_PORT:,} series"
    for what, ours, wanted in (("all changed", changed, 10), ("nothing changed", unchanged, 25)):
        ratio = statistics.median(usual) / statistics.median(ours)
        yield Line(f"scrape, core seconds: {series}, {what}", spread(ours, "{:.4f}"), against, ratio, wanted)


def _memory(size: Size) -> Iterator[Line]:
    ours = [fresh(memory.exporter, size.ports) for _ in range(size.usual_times)]
    usual = [fresh(memory.gauges, size.ports)]
    middle = statistics.median(ours)
    cells = spread(ours, "{:.0f}"), spread(usual, "{:.0f}")
    yield Line("memory, bytes a series", *cells, middle / usual[0], 0.25, at_most=True)
    yield Line("the same, without comparison", cells[0], "", middle, 300, at_most=True, unit="bytes")
    for encoding in ("gzip", "identity"):
        above, body = fresh(memory.peak, size.ports, encoding, size.scrapers)
        yield Line(
            f"{size.scrapers} scrapers at once, {encoding}, peak MB above rest",
            f"{above / 1e6:.1f}",
            f"{body / 1e6:.1f} (body)",
            above / body,
            2,
            at_most=True,
        )


def _both(size: Size) -> Iterator[Line]:
    scraped, alone = fresh(ingest.while_scraped, size.ports, 2 * size.seconds, size.usual_times)
    share = statistics.median(scraped) / statistics.median(alone)
    what = "ingest scraped once a second, events/s"
    yield Line(what, spread(scraped, _EVENTS), spread(alone, _EVENTS) + " alone", share, 0.6)


def _flat(size: Size) -> Iterator[Line]:
    event = [
        [1e6 / fresh(ingest.exporter, ports, size.seconds / 2) for _ in range(size.usual_times)]
        for ports in size.flat_ports
    ]
    series = [
        [1e6 * cost for cost in fresh(scrape.per_series, ports, max(size.times, 500 // ports))]
        for ports in size.flat_ports
    ]
    sizes = " / ".join(f"{ports * SERIES_PER_PORT:,}" for ports in size.flat_ports)
    for what, costs in (("event", event), ("series", series)):
        middles = [statistics.median(cost) for cost in costs]
        cells = " / ".join(f"{middle:.2f}" for middle in middles)
        yield Line(f"µs per {what}", cells, f"{sizes} series", max(middles) / min(middles), 1.5, at_most=True)


def run(size: Size) -> list[Line]:
    """Every line of the table."""
    lines: list[Line] = []
    for part in (_ingest, _scrapes, _memory, _both, _flat):
        for line in part(size):
            print(*line.cells, sep=" | ", file=sys.stderr, flush=True)
            lines.append(line)
    return lines


def main() -> int:
    """Measure, print, and say whether all is as wanted."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes: does it run, not how fast is it")
    quick = parser.parse_args().quick
    began = time.monotonic()
    lines = run(QUICK if quick else FULL)
    print(f"\n{table(lines)}\n\n{machine()}; {time.monotonic() - began:.0f} s")
    return 0 if quick or all(line.good for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
