"""Hostile clients in numbers: each holds connections, and opens another for each that the server closes."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from types import TracebackType

RENEWALS_PER_SECOND = 250.0
"""Connections opened in place of closed ones; more would only measure how fast these clients are."""
MAX_BURST = 50
"""Connections opened at once, also after a busy machine has paused these clients."""


class Crowd:
    """``number`` connections that send ``sent`` and then nothing.

    ``source`` is the address that they come from.
    """

    def __init__(self, address: str, number: int, sent: bytes = b"", *, source: str = "127.0.0.1") -> None:
        host, port = address.rsplit(":", 1)
        self._target = host, int(port)
        self._number = number
        self._sent = sent
        self._source = source
        self._selector = selectors.DefaultSelector()
        self._stopping = threading.Event()
        self._complete = threading.Event()
        self._thread = threading.Thread(target=self._run, name="crowd", daemon=True)
        self._connected = 0
        self._to_renew = 0
        self.closed = 0
        """Connections that the server has closed so far."""

    def __enter__(self) -> Crowd:
        self._thread.start()
        assert self._complete.wait(60)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            self._sockets_close(key.fileobj)
        self._selector.close()

    def _sockets_close(self, sock: object) -> None:
        assert isinstance(sock, socket.socket)
        self._selector.unregister(sock)
        sock.close()

    def _connect(self) -> None:
        sock = socket.socket()
        sock.setblocking(False)
        sock.bind((self._source, 0))
        with contextlib.suppress(BlockingIOError):
            sock.connect(self._target)
        self._selector.register(sock, selectors.EVENT_WRITE)

    def _run(self) -> None:
        for _ in range(self._number):
            self._connect()
        renewed_at = time.monotonic()
        while not self._stopping.is_set():
            for key, _ in self._selector.select(0.05):
                self._handle(key)
            renewals = min(
                self._to_renew, MAX_BURST, int((time.monotonic() - renewed_at) * RENEWALS_PER_SECOND)
            )
            if renewals:
                renewed_at = time.monotonic()
                self._to_renew -= renewals
                for _ in range(renewals):
                    self._connect()
            if self._connected >= self._number:
                self._complete.set()

    def _handle(self, key: selectors.SelectorKey) -> None:
        sock = key.fileobj
        assert isinstance(sock, socket.socket)
        try:
            if key.events == selectors.EVENT_WRITE:
                sock.send(self._sent)
                self._connected += 1
                self._selector.modify(sock, selectors.EVENT_READ)
            elif not sock.recv(65536):
                raise ConnectionResetError
        except OSError:
            self.closed += 1
            self._sockets_close(sock)
            self._to_renew += 1
