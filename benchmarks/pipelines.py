"""Two pipelines that receive events from a stream: the exporter's, and a naive one to compare with."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator

import requests
from prometheus_client import CollectorRegistry, Gauge

from benchmarks.generator import ACCOUNT, PORT_EVENTS
from pf_exporter.config.accounts import Account
from pf_exporter.errors import StreamError
from pf_exporter.packetfabric import sse
from pf_exporter.packetfabric.request import Request
from pf_exporter.packetfabric.transport import Transport
from pf_exporter.state.stats import AccountStats
from pf_exporter.state.store import Store
from pf_exporter.stream.processor import EventProcessor


class EventCount:
    """The number of events that a running pipeline has processed, read by ``read``."""

    def __init__(self, read: Callable[[], int]) -> None:
        self._read = read
        self._pause = threading.Event()

    def wait_for(self, events: int) -> None:
        """Wait until this many events have been processed, at most two minutes."""
        end = time.monotonic() + 120
        while self._read() < events:
            if time.monotonic() > end:
                raise TimeoutError(f"{self._read()} of {events} events were processed within 120 s")
            self._pause.wait(0.01)

    def rate(self, seconds: float, clock: Callable[[], float] = time.perf_counter) -> float:
        """Measure for ``seconds``, and return events per second of ``clock``."""
        start, before = clock(), self._read()
        self._pause.wait(seconds)
        return (self._read() - before) / (clock() - start)


@contextlib.contextmanager
def exporter_pipeline(url: str, store: Store) -> Iterator[EventCount]:
    """Run the exporter's own parts, from the socket to the store, on a thread."""
    stats = AccountStats(Account(ACCOUNT), idle_timeout=60)
    processor = EventProcessor(store, stats)
    transport = Transport(url, {})
    stream = transport.open(Request("stream", "GET", "/", read_timeout=60))

    def read() -> None:
        with contextlib.suppress(StreamError):
            for event in sse.read_events(stream.chunks(), processor.reject):
                processor.process(event)
        stream.close()

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield EventCount(lambda: sum(stats.events.values()))
    finally:
        transport.abort()
        thread.join()
        if sum(stats.rejected.values()):
            raise AssertionError(f"events were rejected: {stats.rejected}")


@contextlib.contextmanager
def naive_pipeline(url: str) -> Iterator[EventCount]:
    """Run the obvious implementation on a thread: lines, json, and a Gauge for each field."""
    registry = CollectorRegistry()
    gauges: dict[str, dict[str, tuple[Gauge, str | None]]] = {}
    for name, event in PORT_EVENTS.items():
        gauges[name] = {}
        for field, family in event.fields.items():
            gauge = Gauge(family.name, family.help, family.labels, registry=registry)
            for lane in "0123" if event.has_lanes else (None,):
                gauges[name][field.replace("_N_", f"_{lane}_")] = gauge, lane
    processed = 0
    stopping = threading.Event()

    def read() -> None:
        nonlocal processed
        name = ""
        with requests.get(url, stream=True, timeout=60) as response:
            for line in response.iter_lines():
                if line.startswith(b"event: "):
                    name = line[7:].decode()
                elif line.startswith(b"data: "):
                    data = json.loads(line[6:])
                    port = data["port_circuit_id"]
                    for field, (gauge, lane) in gauges[name].items():
                        labels = (ACCOUNT, port) if lane is None else (ACCOUNT, port, lane)
                        gauge.labels(*labels).set(data[field])
                    processed += 1
                if stopping.is_set():
                    return

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield EventCount(lambda: processed)
    finally:
        stopping.set()
        thread.join()
