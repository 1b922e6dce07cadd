"""Events per second from a loopback socket into the store, alone and while being scraped."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
import urllib.request
from collections.abc import Iterator
from multiprocessing.synchronize import Event

from prometheus_client import CollectorRegistry

from benchmarks.generator import ACCOUNT, PORT_EVENTS
from benchmarks.pipelines import exporter_pipeline, naive_pipeline
from benchmarks.process import unpin
from benchmarks.sender import sender
from pf_exporter.metrics.exposition import Exposition
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
