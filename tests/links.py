"""Networks on 127.0.0.1 between a client and a server: a slow link, and an HTTP proxy."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

L = TypeVar("L", bound="Link")


class Link:
    """Forwards TCP connections to a server, all of them together at ``rate`` bytes per second."""

    def __init__(self, url: str, *, rate: float = float("inf"), delay: float = 0.0) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "", parts.port or 0)
        self.rate = rate
        """Bytes per second; may be changed at any time."""
        self._delay = delay
        self._free_at = time.monotonic()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.from_client = b""
        """Everything that clients have sent to the link, as it sees it."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"{parts.scheme}://{self.address}"
        self._start(self._accept)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name="link", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._over.wait(self._delay)
            server = self.connect(client)
            if server is not None:
                self._start(self._copy, client, server, self._note)
                self._copy(server, client, self._throttle)
        self._end(client)

    def connect(self, client: socket.socket) -> socket.socket | None:
        """Connect to the server; None ends the client's connection."""
        return self.dial(self._target)

    @property
    def is_reached(self) -> bool:
        """Whether a connection has been accepted."""
        return bool(self._sockets)

    def dial(self, target: tuple[str, int]) -> socket.socket:
        """Open a connection that ends with the link."""
        server = socket.create_connection(target, 60)
        server.settimeout(None)
        self._sockets.append(server)
        return server

    def _copy(self, source: socket.socket, sink: socket.socket, before: Callable[[bytes], None]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                before(data)
                sink.sendall(data)
        self._end(sink)

    def _note(self, data: bytes) -> None:
        self.from_client += data

    def _throttle(self, data: bytes) -> None:
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + len(data) / self.rate
            wait = self._free_at - time.monotonic()
        self._over.wait(max(wait, 0.0))

    @staticmethod
    def _end(sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """End every connection."""
        for sock in self._sockets:
            self._end(sock)

    def __enter__(self: L) -> L:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._end(self._listener)
        self._listener.close()
        self._threads[0].join(60)
        self.cut()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()
        for sock in self._sockets:
            sock.close()


class Proxy(Link):
    """An HTTP proxy: CONNECT to any address, and requests to http:// URLs; ``users`` as ``name:password``.

    ``answer`` is sent instead of the response to CONNECT.
    """

    def __init__(self, *, user: str = "", answer: bytes | None = None, delay: float = 0.0) -> None:
        self._user = user
        self._answer = answer
        self.heads: list[str] = []
        """The first line and the headers of each request."""
        super().__init__("http://127.0.0.1:9", delay=delay)

    def connect(self, client: socket.socket) -> socket.socket | None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(4096)
            if not data:
                return None
            head += data
        self._note(head)
        text = head.decode("latin-1")
        self.heads.append(text)
        expected = "Proxy-Authorization: Basic " + base64.b64encode(self._user.encode()).decode()
        if self._answer is not None:
            client.sendall(self._answer)
            return None
        if self._user and expected not in text:
            client.sendall(
                b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n'
                b"Content-Length: 0\r\nConnection: close\r\n\r\n"
            )
            return None
        method, target, _ = text.split(" ", 2)
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        server = self.dial((parts.hostname or "", parts.port or 80))
        if method == "CONNECT":
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            server.sendall(head.replace(f"{parts.scheme}://{parts.netloc}".encode(), b"", 1))
        return server
