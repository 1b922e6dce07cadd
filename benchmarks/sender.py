"""A process that streams generated events over loopback as fast as they are received."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from multiprocessing.connection import Connection

from benchmarks.generator import EventGenerator
from benchmarks.process import server_process, unpin

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_EVENTS_PER_WRITE = 50


def chunk(name: str, data: bytes) -> bytes:
    """Return an event as one HTTP chunk."""
    event = b"event: %s\ndata: %s\n\n" % (name.encode(), data)
    return b"%x\r\n%s\r\n" % (len(event), event)


def _send(ports: int, ready: Connection) -> None:
    """Send sample after sample, one HTTP chunk per event, until the receiver disconnects."""
    unpin()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        ready.send(server.getsockname()[1])
        generator = EventGenerator(ports)
        receiver, _ = server.accept()
        with receiver, contextlib.suppress(OSError):
            receiver.settimeout(60)
            receiver.recv(1 << 16)
            receiver.sendall(_HEAD)
            number = 0
            while True:
                number += 1
                batch = []
                for name, data in generator.sample(number):
                    batch.append(chunk(name, data))
                    if len(batch) == _EVENTS_PER_WRITE:
                        receiver.sendall(b"".join(batch))
                        batch.clear()
                receiver.sendall(b"".join(batch))


@contextlib.contextmanager
def sender(ports: int) -> Iterator[str]:
    """Start a sender of the events of ``ports`` ports, and yield its URL."""
    with server_process(_send, ports) as url:
        yield url
