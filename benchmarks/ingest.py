"""Events per second from a loopback socket into the store, alone and while being scraped."""

from __future__ import annotations

import contextlib
import itertools
import math
import multiprocessing
import socket
import time
import urllib.request
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from urllib.parse import urlsplit

import msgspec
from prometheus_client import CollectorRegistry

from benchmarks.generator import ACCOUNT, PORT_EVENTS, EventGenerator
from benchmarks.pipelines import exporter_pipeline, naive_pipeline
from benchmarks.process import unpin
from benchmarks.sender import chunk, sender
from pf_exporter.metrics.exposition import Exposition
from pf_exporter.schema.decoder import row_type
from pf_exporter.server.server import Server
from pf_exporter.state.store import Store
from pf_exporter.web.app import create_app


def _empty_store() -> Store:
    store = Store(ttl=3600, limit=10**9)
    store.add_account(ACCOUNT)
    return store


def exporter(ports: int, seconds: float) -> float:
    """Return the exporter's events per second of CPU time, measured after the first sample."""
    with sender(ports) as url, exporter_pipeline(url, _empty_store()) as count:
        count.wait_for(ports * len(PORT_EVENTS))
        return count.rate(seconds, time.process_time)


def naive(ports: int, seconds: float) -> float:
    """Return the naive pipeline's events per second of CPU time, measured after the first sample."""
    with sender(ports) as url, naive_pipeline(url) as count:
        count.wait_for(ports * len(PORT_EVENTS))
        return count.rate(seconds, time.process_time)


def floor(ports: int, seconds: float) -> float:
    """Return events per second of CPU time if they are only received, and their JSON is decoded.

    No exporter in Python can be faster: the same bytes over the same kind of socket, and msgspec decodes the
    same JSON into the same types.
    """
    decoders = {name: msgspec.json.Decoder(row_type(event)).decode for name, event in PORT_EVENTS.items()}
    sample = [(name, data) for name, data in EventGenerator(ports).sample(1)]
    mean_size = sum(len(chunk(name, data)) for name, data in sample) / len(sample)
    events = itertools.cycle([(decoders[name], data.decode()) for name, data in sample])
    with sender(ports) as url, socket.create_connection(("127.0.0.1", urlsplit(url).port or 0)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        received, decoded, first = 0, 0, 0
        begin = math.inf
        while time.process_time() < begin + seconds:
            received += len(connection.recv(1 << 16))
            while decoded * mean_size < received:
                decode, data = next(events)
                decode(data)
                decoded += 1
            if begin == math.inf and decoded >= len(sample):
                begin, first = time.process_time(), decoded
        return (decoded - first) / (time.process_time() - begin)


def _scrape(url: str, enabled: Event, stopping: Event) -> None:
    unpin()
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    while not stopping.wait(1.0):
        if enabled.is_set():
            with urllib.request.urlopen(request, timeout=60) as response:
                response.read()


@contextlib.contextmanager
def _scraper(url: str) -> Iterator[Event]:
    """Start a process that scrapes once per second while the event it yields is set."""
    spawn = multiprocessing.get_context("spawn")
    enabled, stopping = spawn.Event(), spawn.Event()
    process = spawn.Process(target=_scrape, args=(url, enabled, stopping), daemon=True)
    process.start()
    try:
        yield enabled
    finally:
        stopping.set()
        process.join()


def while_scraped(ports: int, seconds: float, runs: int) -> tuple[list[float], list[float]]:
    """Return events per second with one scrape per second over HTTP, and without; the runs alternate."""
    store = _empty_store()
    page = Exposition(store, CollectorRegistry())
    app = create_app(page, telemetry_path="/metrics", problem=str)
    scraped, alone = [], []
    with (
        sender(ports) as url,
        exporter_pipeline(url, store) as count,
        Server(app, ["127.0.0.1:0"], name="web") as server,
        _scraper(f"http://{server.addresses[0]}/metrics") as scraping,
    ):
        count.wait_for(ports * len(PORT_EVENTS))
        for _ in range(runs):
            scraping.clear()
            count.rate(1.5)  # A scrape in progress can end.
            alone.append(count.rate(seconds))
            scraping.set()
            count.rate(1.5)
            scraped.append(count.rate(seconds))
    return scraped, alone
