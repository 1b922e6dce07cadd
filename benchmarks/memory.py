"""Bytes in memory: for each series at rest, and at most while scrapers come all at once."""

from __future__ import annotations

import multiprocessing
import urllib.request

from prometheus_client import CollectorRegistry, Gauge

from benchmarks.network import ACCOUNT, PORT_EVENTS, SERIES_PER_PORT, Network
from benchmarks.process import peak_since, resident, unpin
from benchmarks.scrape import fill, filled
from pf_exporter.metrics.exposition import Exposition, Format
from pf_exporter.server.server import Server
from pf_exporter.web.app import create_app


def exporter(ports: int) -> float:
    """Bytes for each series, rows and all, after three scrapes of which nothing is held."""
    network = Network(ports)
    empty = resident()
    store = filled(network)
    page = Exposition(store, CollectorRegistry())
    for number in range(2, 5):
        page.gzip(Format.TEXT)
        fill(store, network, number)
    page.gzip(Format.TEXT)
    return (resident() - empty) / network.series


def gauges(ports: int) -> float:
    """Bytes for each series held as a child of a Gauge, never scraped."""
    registry = CollectorRegistry()
    empty = resident()
    held = []
    for event in PORT_EVENTS.values():
        for family in event.fields.values():
            gauge = Gauge(family.name, family.help, family.labels, registry=registry)
            held.append(gauge)
            for port in range(ports):
                for lane in "0123" if event.has_lanes else (None,):
                    labels = (ACCOUNT, f"PF-AP-LAX1-{1_000_000 + port}")
                    gauge.labels(*labels if lane is None else (*labels, lane)).set(1e6 + port)
    last = Gauge("last_event", "Last.", ("account", "port_circuit_id", "category"), registry=registry)
    for port in range(ports):
        for name in PORT_EVENTS:
            last.labels(ACCOUNT, f"PF-AP-LAX1-{1_000_000 + port}", name).set(1e9 + port)
    return (resident() - empty) / (ports * SERIES_PER_PORT)


def _get(url: str, encoding: str) -> int:
    request = urllib.request.Request(url, headers={"Accept-Encoding": encoding})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return len(answer.read())


def peak(ports: int, encoding: str, scrapers: int) -> tuple[int, int]:
    """Most bytes above rest while so many scrapers come at once, and the bytes of the body they get."""
    network = Network(ports)
    store = filled(network)
    page = Exposition(store, CollectorRegistry())
    site = create_app(page, telemetry_path="/metrics", healthy=lambda: True)
    spawn = multiprocessing.get_context("spawn")
    with Server(site, ["127.0.0.1:0"], name="web") as server, spawn.Pool(scrapers, initializer=unpin) as pool:
        asked = [(f"http://{server.addresses[0]}/metrics", encoding)] * scrapers
        for number in range(2, 4):
            pool.starmap(_get, asked, chunksize=1)
            fill(store, network, number)
        rest = resident()
        peak_since(reset=True)
        sizes = pool.starmap(_get, asked, chunksize=1)
        return peak_since(reset=False) - rest, max(sizes)
