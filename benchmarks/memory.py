"""Memory in bytes: per series at rest, and the peak while many clients scrape at the same time."""

from __future__ import annotations

import multiprocessing
import urllib.request

from prometheus_client import CollectorRegistry, Gauge

from benchmarks.generator import ACCOUNT, PORT_EVENTS, SERIES_PER_PORT, EventGenerator
from benchmarks.process import peak_resident, reset_peak, resident, unpin
from benchmarks.scrape import filled_store, write_sample
from pf_exporter.metrics.exposition import Exposition, Format
from pf_exporter.server.server import Server
from pf_exporter.web.app import create_app


def exporter(ports: int) -> float:
    """Return bytes per series in the exporter after four scrapes whose results are discarded."""
    generator = EventGenerator(ports)
    empty = resident()
    store = filled_store(generator)
    page = Exposition(store, CollectorRegistry())
    for number in range(2, 5):
        page.gzip(Format.TEXT)
        write_sample(store, generator, number)
    page.gzip(Format.TEXT)
    return (resident() - empty) / generator.series


def gauges(ports: int) -> float:
    """Return bytes per series as children of Gauges that are never scraped."""
    registry = CollectorRegistry()
    empty = resident()
    kept = []
    for event in PORT_EVENTS.values():
        for family in event.fields.values():
            gauge = Gauge(family.name, family.help, family.labels, registry=registry)
            kept.append(gauge)
            for port in range(ports):
                for lane in "0123" if event.has_lanes else (None,):
                    labels = (ACCOUNT, f"PF-AP-LAX1-{1_000_000 + port}")
                    gauge.labels(*labels if lane is None else (*labels, lane)).set(1e6 + port)
    last = Gauge("last_event", "Last.", ("account", "port_circuit_id", "category"), registry=registry)
    for port in range(ports):
        for name in PORT_EVENTS:
            last.labels(ACCOUNT, f"PF-AP-LAX1-{1_000_000 + port}", name).set(1e9 + port)
    return (resident() - empty) / (ports * SERIES_PER_PORT)


def _fetch(url: str, encoding: str) -> int:
    request = urllib.request.Request(url, headers={"Accept-Encoding": encoding})
    with urllib.request.urlopen(request, timeout=120) as response:
        return len(response.read())


def peak(ports: int, encoding: str, scrapers: int) -> tuple[int, int]:
    """Return the peak in bytes above rest while ``scrapers`` clients scrape, and the size of a body."""
    generator = EventGenerator(ports)
    store = filled_store(generator)
    page = Exposition(store, CollectorRegistry())
    app = create_app(page, telemetry_path="/metrics", problem=str)
    spawn = multiprocessing.get_context("spawn")
    with Server(app, ["127.0.0.1:0"], name="web") as server, spawn.Pool(scrapers, initializer=unpin) as pool:
        requests = [(f"http://{server.addresses[0]}/metrics", encoding)] * scrapers
        for number in range(2, 4):
            pool.starmap(_fetch, requests, chunksize=1)
            write_sample(store, generator, number)
        rest = resident()
        reset_peak()
        sizes = pool.starmap(_fetch, requests, chunksize=1)
        return peak_resident() - rest, max(sizes)
