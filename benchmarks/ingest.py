"""Events per second from a loopback socket into the store, alone and while being scraped."""

from __future__ import annotations

import contextlib
import multiprocessing
import time
import urllib.request
from collections.abc import Iterator
from multiprocessing.synchronize import Event

from prometheus_client import CollectorRegistry

from benchmarks import feed
from benchmarks.network import ACCOUNT, PORT_EVENTS
from benchmarks.process import unpin
from pf_exporter.metrics.exposition import Exposition
from pf_exporter.server.server import Server
from pf_exporter.state.store import Store
from pf_exporter.web.app import create_app


def _store() -> Store:
    store = Store(ttl=3600, limit=10**9)
    store.add_account(ACCOUNT)
    return store


def exporter(ports: int, seconds: float) -> float:
    """Events per second of the core of the exporter, once it knows all ports."""
    with feed.sender(ports) as url, feed.exporter(url, _store()) as count:
        count.wait_for(ports * len(PORT_EVENTS))
        return count.rate(seconds, time.process_time)


def naive(ports: int, seconds: float) -> float:
    """Events per second of the core of the naive pipeline, once it knows all ports."""
    with feed.sender(ports) as url, feed.naive(url) as count:
        count.wait_for(ports * len(PORT_EVENTS))
        return count.rate(seconds, time.process_time)


def _scrape(url: str, scraping: Event, stopping: Event) -> None:
    unpin()
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    while not stopping.wait(1.0):
        if scraping.is_set():
            with urllib.request.urlopen(request, timeout=60) as answer:
                answer.read()


@contextlib.contextmanager
def _scraper(url: str) -> Iterator[Event]:
    spawn = multiprocessing.get_context("spawn")
    scraping, stopping = spawn.Event(), spawn.Event()
    process = spawn.Process(target=_scrape, args=(url, scraping, stopping), daemon=True)
    process.start()
    try:
        yield scraping
    finally:
        stopping.set()
        process.join()


def while_scraped(ports: int, seconds: float, times: int) -> tuple[list[float], list[float]]:
    """Events per second while scraped once a second over HTTP, and alone; by turns."""
    store = _store()
    page = Exposition(store, CollectorRegistry())
    site = create_app(page, telemetry_path="/metrics", healthy=lambda: True)
    scraped, alone = [], []
    with (
        feed.sender(ports) as url,
        feed.exporter(url, store) as count,
        Server(site, ["127.0.0.1:0"], name="web") as server,
        _scraper(f"http://{server.addresses[0]}/metrics") as scraping,
    ):
        count.wait_for(ports * len(PORT_EVENTS))
        for _ in range(times):
            scraping.clear()
            count.rate(1.5)  # for a scrape under way to end
            alone.append(count.rate(seconds))
            scraping.set()
            count.rate(1.5)
            scraped.append(count.rate(seconds))
    return scraped, alone
