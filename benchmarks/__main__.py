"""Run all benchmarks and print one table: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks import ingest, memory, remote_write, scrape, start
from benchmarks.generator import SERIES_PER_PORT
from benchmarks.process import run_isolated
from benchmarks.report import Result, describe_machine, format_spread, format_table


class Size(NamedTuple):
    """The sizes of a run."""

    ports: int
    ingest_ports: int
    scaling_ports: tuple[int, ...]
    seconds: float
    runs: int
    baseline_runs: int
    scrapers: int


FULL = Size(5000, 500, (13, 130, 1300, 12_821), 2.0, 5, 3, 20)
QUICK = Size(5, 2, (2, 4), 0.05, 2, 1, 2)

_EVENTS = "{:,.0f}"


def _ingest(size: Size) -> Iterator[Result]:
    exporter, naive = [], []
    for _ in range(size.runs):
        exporter.append(run_isolated(ingest.exporter, size.ingest_ports, size.seconds))
        naive.append(run_isolated(ingest.naive, size.ingest_ports, size.seconds))
    yield Result(
        "ingest, events per CPU second",
        format_spread(exporter, _EVENTS),
        format_spread(naive, _EVENTS),
        reached=statistics.median(exporter) / statistics.median(naive),
        target=6,
    )


def _floor(size: Size) -> Iterator[Result]:
    exporter, floor = [], []
    for _ in range(size.baseline_runs):
        exporter.append(1e6 / run_isolated(ingest.exporter, size.ingest_ports, size.seconds))
        floor.append(1e6 / run_isolated(ingest.floor, size.ingest_ports, size.seconds))
    yield Result(
        "ingest, CPU µs per event",
        format_spread(exporter, "{:.2f}"),
        format_spread(floor, "{:.2f}") + " (receiving and decoding JSON alone)",
        reached=statistics.median(exporter) / statistics.median(floor),
        target=7,
        at_most=True,
    )


def _scrapes(size: Size) -> Iterator[Result]:
    changed, unchanged, baseline = run_isolated(scrape.measure, size.ports, size.runs, size.baseline_runs)
    series = f"{size.ports * SERIES_PER_PORT:,} series"
    for name, seconds, target in (("all changed", changed, 10), ("none changed", unchanged, 25)):
        yield Result(
            f"scrape, CPU seconds: {series}, {name}",
            format_spread(seconds, "{:.4f}"),
            format_spread(baseline, "{:.2f}"),
            reached=statistics.median(baseline) / statistics.median(seconds),
            target=target,
        )


def _event_timestamps(size: Size) -> Iterator[Result]:
    stamped, plain = run_isolated(scrape.event_timestamps, size.ports, size.runs)
    yield Result(
        "page with event timestamps, CPU seconds",
        format_spread(stamped, "{:.4f}"),
        format_spread(plain, "{:.4f}") + " plain",
        reached=statistics.median(stamped) / statistics.median(plain),
        target=1.15,
        at_most=True,
    )


def _memory(size: Size) -> Iterator[Result]:
    exporter = [run_isolated(memory.exporter, size.ports) for _ in range(size.baseline_runs)]
    gauges = run_isolated(memory.gauges, size.ports)
    median = statistics.median(exporter)
    spread = format_spread(exporter, "{:.0f}")
    yield Result("memory, bytes per series", spread, f"{gauges:.0f}", median / gauges, 0.25, at_most=True)
    yield Result("memory, bytes per series", spread, "", median, 300, at_most=True, unit="bytes")
    for encoding in ("gzip", "identity"):
        above_rest, body = run_isolated(memory.peak, size.ports, encoding, size.scrapers)
        yield Result(
            f"{size.scrapers} scrapers at once, {encoding}, peak MB above rest",
            f"{above_rest / 1e6:.1f}",
            f"{body / 1e6:.1f} (body)",
            above_rest / body,
            2,
            at_most=True,
        )


def _ingest_while_scraped(size: Size) -> Iterator[Result]:
    scraped, alone = run_isolated(ingest.while_scraped, size.ports, 2 * size.seconds, size.baseline_runs)
    yield Result(
        "ingest while scraped every second, events/s",
        format_spread(scraped, _EVENTS),
        format_spread(alone, _EVENTS) + " alone",
        reached=statistics.median(scraped) / statistics.median(alone),
        target=0.6,
    )


def _remote_write(size: Size) -> Iterator[Result]:
    ports, events = size.ingest_ports, 80 * size.ingest_ports
    sent = [run_isolated(remote_write.sent, ports, events) for _ in range(size.baseline_runs)]
    spread = format_spread(sent, _EVENTS)
    median = statistics.median(sent)
    yield Result("remote write, samples per CPU second", spread, "", median, 250_000, unit="samples")
    alone, sending = [], []
    for _ in range(size.baseline_runs):
        alone.append(run_isolated(remote_write.alone, ports, size.seconds))
        sending.append(run_isolated(remote_write.while_sending, ports, size.seconds)[0])
    yield Result(
        "ingest while sending, events/s",
        format_spread(sending, _EVENTS),
        format_spread(alone, _EVENTS) + " alone",
        reached=statistics.median(sending) / statistics.median(alone),
        target=0.6,
    )
    share = run_isolated(remote_write.waiting, ports, 10 * events)
    yield Result(
        "memory while the receiver is away, MB above rest",
        f"{share * remote_write.QUEUE_BYTES / 1e6:.1f}",
        f"{remote_write.QUEUE_BYTES / 1e6:.1f} (queue)",
        share,
        1,
        at_most=True,
    )


def _scaling(size: Size) -> Iterator[Result]:
    event_costs = [
        [1e6 / run_isolated(ingest.exporter, ports, size.seconds / 2) for _ in range(size.baseline_runs)]
        for ports in size.scaling_ports
    ]
    series_costs = [
        [1e6 * cost for cost in run_isolated(scrape.per_series, ports, max(size.runs, 500 // ports))]
        for ports in size.scaling_ports
    ]
    sizes = " / ".join(f"{ports * SERIES_PER_PORT:,}" for ports in size.scaling_ports)
    # A page of few series has a higher cost per series: each event has a separate compressed block.
    for name, costs, limit in (("event", event_costs, 2), ("series", series_costs, 2.5)):
        medians = [statistics.median(cost) for cost in costs]
        cells = " / ".join(f"{median:.2f}" for median in medians)
        ratio = max(medians) / min(medians)
        yield Result(f"µs per {name}", cells, f"{sizes} series", ratio, limit, at_most=True)


def _start(size: Size) -> Iterator[Result]:
    exporters, trivials, libraries = [], [], []
    with start.simulated_network() as simulator:
        for _ in range(size.baseline_runs):
            exporters.append(start.exporter(simulator, 5 * size.seconds))
            trivials.append(start.trivial(size.seconds))
            libraries.append(start.trivial(size.seconds, start.LIBRARIES))
    own, least, floor = [
        ([1e3 * one.first_page for one in each], [one.resident / 2**20 for one in each])
        for each in (exporters, trivials, libraries)
    ]
    for name, values, baseline, what, target in (
        ("start to first page, ms", own[0], least[0], "trivial exporter", 4.5),
        ("resident memory at rest, MiB", own[1], least[1], "trivial exporter", 2.0),
        ("resident memory at rest, MiB", own[1], floor[1], "its libraries alone", 1.2),
    ):
        yield Result(
            name,
            format_spread(values, "{:.0f}"),
            format_spread(baseline, "{:.0f}") + f" ({what})",
            reached=statistics.median(values) / statistics.median(baseline),
            target=target,
            at_most=True,
        )
    stops = [1e3 * one.stop for one in exporters]
    median, spread = statistics.median(stops), format_spread(stops, "{:.0f}")
    yield Result("SIGTERM to exit, ms", spread, "", median, 2000, at_most=True, unit="ms")
    load = [100 * one.load for one in exporters]
    median, spread = statistics.median(load), format_spread(load, "{:.2f}")
    yield Result("100 events per second, % of a core", spread, "", median, 0.5, at_most=True, unit="%")


def _commands(size: Size) -> Iterator[Result]:
    library = [1e3 * start.cpu_time("-c", "import prometheus_client") for _ in range(size.runs)]
    with start.healthy_server() as address:
        for name, *arguments in (("--version",), ("--help",), ("health", f"--web.listen-address={address}")):
            times = [1e3 * start.cpu_time("-m", "pf_exporter", name, *arguments) for _ in range(size.runs)]
            yield Result(
                f"pf-exporter {name}, CPU ms",
                format_spread(times, "{:.0f}"),
                format_spread(library, "{:.0f}") + " (import prometheus_client)",
                reached=statistics.median(times) / statistics.median(library),
                target=1.0,
                at_most=True,
            )


def run(size: Size) -> list[Result]:
    """Run all benchmarks, and print each result to stderr as soon as it is known."""
    results: list[Result] = []
    for benchmark in (
        _start,
        _commands,
        _ingest,
        _floor,
        _scrapes,
        _event_timestamps,
        _memory,
        _ingest_while_scraped,
        _remote_write,
        _scaling,
    ):
        for result in benchmark(size):
            print(*result.cells, sep=" | ", file=sys.stderr, flush=True)
            results.append(result)
    return results


def main() -> int:
    """Run the benchmarks, print the table, and return 1 if a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="use tiny sizes, to check that the benchmarks run"
    )
    quick = parser.parse_args().quick
    start = time.monotonic()
    results = run(QUICK if quick else FULL)
    print(f"\n{format_table(results)}\n\n{describe_machine()}; {time.monotonic() - start:.0f} s")
    return 0 if quick or all(result.met for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
