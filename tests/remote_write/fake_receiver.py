"""A receiver of remote write on loopback that a test controls."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from tests.remote_write.protocol import Decoded, decode_body


@dataclass(frozen=True)
class Reply:
    """A response; ``before`` is called first, and ``closes`` ends the connection instead."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    before: Callable[[], object] = lambda: None
    closes: bool = False
    drips: bool = False
    """Whether a line of the header follows the other for ever."""


@dataclass
class Taken:
    """A request."""

    headers: dict[str, str]
    """By name in lower case."""
    samples: list[Decoded]
    path: str
    reply: Reply


Answer = Callable[[list[Decoded]], Reply]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: FakeReceiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        samples = decode_body(body)
        reply = self.receiver.answer(samples)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.receiver.requests.append(Taken(headers, samples, self.path, reply))
        reply.before()
        if reply.closes:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.drips:
            self.flush_headers()
        while reply.drips and not self.receiver.stopping.wait(0.05):
            self.wfile.write(b"X-Drip: 1\r\n")
        if reply.status != 204:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    receiver: FakeReceiver

    def process_request(self, request: Any, client_address: Any) -> None:
        self.receiver.on_connect(client_address)
        super().process_request(request, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # the client has gone


class FakeReceiver:
    """Answers with ``answer``, 204 at first, and keeps what it took."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answer: Answer = lambda samples: Reply()
        self.on_connect: Callable[[tuple[str, int]], object] = lambda address: None
        self.requests: list[Taken] = []
        self.stopping = threading.Event()
        handler = type("Handler", (_Handler,), {"receiver": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.receiver = self
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "http" if context is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}/api/v1/write"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def samples(self) -> list[Decoded]:
        """The samples of the requests that it accepted, in order."""
        taken = [request for request in list(self.requests) if 200 <= request.reply.status < 300]
        return [sample for request in taken for sample in request.samples]

    def __enter__(self) -> FakeReceiver:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
