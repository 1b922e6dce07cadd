"""A sender on loopback, and two ways of taking in what it sends: the exporter's, and the naive one."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import socket
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

import requests
from prometheus_client import CollectorRegistry, Gauge

from benchmarks.network import ACCOUNT, PORT_EVENTS, Network
from benchmarks.process import unpin
from pf_exporter.config.accounts import Account
from pf_exporter.errors import StreamError
from pf_exporter.packetfabric import sse
from pf_exporter.packetfabric.request import Request
from pf_exporter.packetfabric.transport import Transport
from pf_exporter.state.stats import AccountStats
from pf_exporter.state.store import Store
from pf_exporter.stream.processor import EventProcessor

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_BATCH = 50


def _send(ports: int, ready: Connection) -> None:
    """Round after round, one chunk for each event, as fast as they are taken."""
    unpin()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        ready.send(server.getsockname()[1])
        network = Network(ports)
        taker, _ = server.accept()
        with taker, contextlib.suppress(OSError):
            taker.settimeout(60)
            taker.recv(1 << 16)
            taker.sendall(_HEAD)
            number = 0
            while True:
                number += 1
                batch = []
                for name, data in network.round(number):
                    event = b"event: %s\ndata: %s\n\n" % (name.encode(), data)
                    batch.append(b"%x\r\n%s\r\n" % (len(event), event))
                    if len(batch) == _BATCH:
                        taker.sendall(b"".join(batch))
                        batch.clear()
                taker.sendall(b"".join(batch))


@contextlib.contextmanager
def sender(ports: int) -> Iterator[str]:
    """The URL of a stream of that many ports' events, from a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_send, args=(ports, theirs), daemon=True)
    process.start()
    try:
        if not ours.poll(60):
            raise TimeoutError("the sender does not start")
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.kill()
        process.join()


class Count:
    """How many events were taken."""

    def __init__(self, read: Callable[[], int]) -> None:
        self._read = read
        self._pause = threading.Event()

    def wait_for(self, events: int) -> None:
        """Until so many have come; two minutes at most."""
        end = time.monotonic() + 120
        while self._read() < events:
            if time.monotonic() > end:
                raise TimeoutError("the events do not come")
            self._pause.wait(0.01)

    def rate(self, seconds: float, clock: Callable[[], float] = time.perf_counter) -> float:
        """Events per second of a clock from now on, for so many seconds."""
        began, before = clock(), self._read()
        self._pause.wait(seconds)
        return (self._read() - before) / (clock() - began)


@contextlib.contextmanager
def exporter(url: str, store: Store) -> Iterator[Count]:
    """The exporter's own parts, from the socket to the store, on a thread."""
    stats = AccountStats(Account(ACCOUNT), idle_timeout=60)
    processor = EventProcessor(store, stats)
    transport = Transport(url, {})
    stream = transport.open(Request("stream", "GET", "/", read_timeout=60))

    def read() -> None:
        with contextlib.suppress(StreamError):
            for event in sse.read_events(stream.chunks(), processor.reject):
                processor.take(event)
        stream.close()

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield Count(lambda: sum(stats.events.values()))
    finally:
        transport.abort()
        thread.join()
        if sum(stats.rejected.values()):
            raise AssertionError(f"events were rejected: {stats.rejected}")


@contextlib.contextmanager
def naive(url: str) -> Iterator[Count]:
    """What one writes first: lines, json, and a Gauge for each field."""
    registry = CollectorRegistry()
    gauges: dict[str, dict[str, tuple[Gauge, str | None]]] = {}
    for name, event in PORT_EVENTS.items():
        gauges[name] = {}
        for field, family in event.fields.items():
            gauge = Gauge(family.name, family.help, family.labels, registry=registry)
            for lane in "0123" if event.has_lanes else (None,):
                gauges[name][field.replace("_N_", f"_{lane}_")] = gauge, lane
    counted = [0]
    stopping = threading.Event()

    def read() -> None:
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
                    counted[0] += 1
                if stopping.is_set():
                    return

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield Count(lambda: counted[0])
    finally:
        stopping.set()
        thread.join()
