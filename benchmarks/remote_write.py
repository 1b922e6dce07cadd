"""Remote write: samples encoded and sent per CPU second, ingest while sending, and memory while waiting."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

from msgspec.structs import replace

from benchmarks.generator import ACCOUNT, PORT_EVENTS, EventGenerator
from benchmarks.pipelines import exporter_pipeline
from benchmarks.process import peak_resident, reset_peak, resident, server_process, unpin
from benchmarks.sender import sender
from pf_exporter.config import RemoteWriteSettings
from pf_exporter.remote_write import Endpoint, RemoteWrite
from pf_exporter.schema import EventType, Observation, decode
from pf_exporter.state import Row, RowSink, Store

QUEUE_BYTES = 64 << 20
FOREVER = 1e9
_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


def _serve(connection: socket.socket, *, answers: bool) -> None:
    """Take requests on a connection, and answer each or none."""
    with connection, contextlib.suppress(OSError):
        data = b""
        while True:
            head, found, rest = data.partition(b"\r\n\r\n")
            if found:
                size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                if len(rest) >= size:
                    data = rest[size:]
                    if answers:
                        connection.sendall(_ANSWER)
                    continue
            received = connection.recv(1 << 20)
            if not received:
                return
            data += received


def _receive(answers: bool, ready: Connection) -> None:
    unpin()
    with socket.create_server(("127.0.0.1", 0)) as server:
        ready.send(server.getsockname()[1])
        while True:
            connection, _ = server.accept()
            threading.Thread(
                target=_serve, args=(connection,), kwargs={"answers": answers}, daemon=True
            ).start()


@contextlib.contextmanager
def receiver(*, answers: bool = True) -> Iterator[str]:
    """Start a receiver that reads requests and forgets them, and yield its URL."""
    with server_process(_receive, answers) as url:
        yield f"{url}/api/v1/write"


def _fail(exc: BaseException) -> None:
    raise exc


@contextlib.contextmanager
def _remote_write(url: str) -> Iterator[RemoteWrite]:
    settings = RemoteWriteSettings(url=url, queue_bytes=QUEUE_BYTES, max_age=FOREVER, send=("stream",))
    remote_write = RemoteWrite([settings], "host:10054", _fail, interval=FOREVER)
    remote_write.start({})
    try:
        yield remote_write
    finally:
        remote_write.stop()


def _store(sink: RowSink | None) -> Store:
    store = Store(ttl=FOREVER, limit=10**9, sink=sink)
    store.add_account(ACCOUNT)
    return store


def _observations(ports: int) -> Iterator[Observation]:
    """Yield events of ``ports`` ports without end, each a second later than the last one of its port."""
    first = []
    for name, data in EventGenerator(ports).sample(1):
        decoded = decode(name, data.decode())
        if not isinstance(decoded, Observation):
            raise TypeError(name)
        first.append(decoded)
    for seconds in itertools.count():
        for observation in first:
            if observation.timestamp is not None:
                yield replace(observation, timestamp=observation.timestamp + seconds)


class _Kept:
    """A sink that keeps the rows."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, EventType, tuple[str, ...], Row]] = []

    def write_row(self, account: str, event: EventType, circuit: tuple[str, ...], row: Row) -> None:
        self.rows.append((account, event, circuit, row))


def _wait_until_sent(endpoint: Endpoint) -> None:
    """Wait until the receiver has acknowledged all samples."""
    pause = threading.Event()
    while endpoint.is_encoding or endpoint.pending:
        pause.wait(0.01)


def sent(ports: int, events: int) -> float:
    """Return samples per CPU second that are encoded, compressed, sent and acknowledged."""
    kept = _Kept()
    store = _store(kept)
    for observation in itertools.islice(_observations(ports), events):
        store.write(ACCOUNT, observation, time.time())
    pause = threading.Event()
    with receiver() as url, _remote_write(url) as remote_write:
        (endpoint,) = remote_write.endpoints
        start = time.process_time()
        for number, row in enumerate(kept.rows):
            remote_write.write_row(*row)
            if number % 1000 == 0:
                while endpoint.is_encoding and endpoint.pending > 50_000:
                    pause.wait(0.001)
        _wait_until_sent(endpoint)
        seconds = time.process_time() - start
        if sum(endpoint.stats.dropped.values()):
            raise AssertionError(f"samples were dropped: {endpoint.stats.dropped}")
        return endpoint.stats.samples / seconds


def _ingest(ports: int, seconds: float, remote_write: RemoteWrite | None) -> float:
    with sender(ports) as url, exporter_pipeline(url, _store(remote_write)) as count:
        count.wait_for(ports * len(PORT_EVENTS))
        return count.rate(seconds)


def alone(ports: int, seconds: float) -> float:
    """Return ingested events per second without remote write."""
    return _ingest(ports, seconds, None)


def while_sending(ports: int, seconds: float) -> tuple[float, float]:
    """Return ingested events per second, and the share of samples that reached the receiver."""
    with receiver() as url, _remote_write(url) as remote_write:
        rate = _ingest(ports, seconds, remote_write)
        (endpoint,) = remote_write.endpoints
        _wait_until_sent(endpoint)
        stats = endpoint.stats
        return rate, stats.samples / (stats.samples + sum(stats.dropped.values()))


def waiting(ports: int, events: int) -> float:
    """Return the peak of the memory above rest, as a share of the queue's limit, while nothing is sent."""
    observations = _observations(ports)
    with receiver(answers=False) as url:
        settings = RemoteWriteSettings(url=url, queue_bytes=QUEUE_BYTES, max_age=FOREVER, send=("stream",))
        remote_write = RemoteWrite([settings], "host:10054", _fail, interval=FOREVER)
        store = _store(remote_write)
        (endpoint,) = remote_write.endpoints
        remote_write.start({})
        pause = threading.Event()
        for observation in itertools.islice(observations, ports * len(PORT_EVENTS)):
            store.write(ACCOUNT, observation, time.time())
        while endpoint.is_encoding:
            pause.wait(0.01)
        rest = resident()
        reset_peak()
        for number, observation in enumerate(itertools.islice(observations, events)):
            store.write(ACCOUNT, observation, time.time())
            if number % 1000 == 0:
                pause.wait(0.0)
        peak = peak_resident()
        remote_write.stop()
        return (peak - rest) / QUEUE_BYTES
