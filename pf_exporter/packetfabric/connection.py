"""The TCP connection under one request, which any thread can abort."""

from __future__ import annotations

import contextlib
import errno
import http.client
import socket
import threading
from functools import partial
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from pf_exporter.config import Proxy
from pf_exporter.packetfabric.abort import CLOSED, Abort
from pf_exporter.packetfabric.request import Headers
from pf_exporter.packetfabric.tunnel import connect_through

_SOCKET_OPTIONS = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, True),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, True),
    *(
        (socket.IPPROTO_TCP, getattr(socket, option), value)
        for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
        if hasattr(socket, option)
    ),
]


class AbortableConnection:
    """The connection under one request, from its first packet on; any thread may abort it."""

    def __init__(self, proxy: Proxy | None = None) -> None:
        self._proxy = proxy
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._connection: Any = None
        self.response: http.client.HTTPResponse | None = None
        """The response that is being read, below urllib3."""
        self.aborted: Abort | None = None

    def connect(self, connection: Any) -> socket.socket:
        """Return the socket that a connection of urllib3 is to use."""
        self._connection = connection
        try:
            host, port, timeout = connection.host, connection.port, connection.timeout
            if self._proxy is None:
                return self._connect(host, port, timeout)
            return connect_through(self._proxy, host, port, partial(self._connect, timeout=timeout))
        except OSError as exc:
            # urllib3 ignores some kinds of OSError and then fails on the missing socket.
            raise urllib3.exceptions.NewConnectionError(connection, "no connection") from exc

    def _connect(self, host: str, port: int, timeout: float) -> socket.socket:
        """Connect to the first of the host's addresses that accepts."""
        try:
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except UnicodeError:
            raise socket.gaierror(socket.EAI_NONAME, "not a valid host name") from None
        error = OSError(errno.EADDRNOTAVAIL, "the name has no address")
        for family, kind, protocol, _, address in addresses:
            sock = socket.socket(family, kind, protocol)
            try:
                for option in _SOCKET_OPTIONS:
                    sock.setsockopt(*option)
                sock.settimeout(timeout)
                self._keep_handle(sock)
                sock.connect(address)
            except OSError as exc:
                sock.close()
                error = exc
            else:
                return sock
        raise error

    def _keep_handle(self, sock: socket.socket) -> None:
        # A second descriptor of the same connection, which nothing else closes: abort() never meets a
        # descriptor number that was reused, and it works below TLS, whose state belongs to the reader.
        with self._lock:
            if self._handle is not None:
                self._handle.close()
            self._handle = sock.dup()
            if self.aborted is not None:
                raise ConnectionAbortedError(errno.ECONNABORTED, self.aborted.message)

    def abort(self, abort: Abort) -> None:
        """Wake all waits on the connection, now and later. Only the first call sets the cause."""
        with self._lock:
            if self.aborted is None:
                self.aborted = abort
            if self._handle is not None:
                # close() would leave a thread that reads waiting; shutdown() wakes it.
                with contextlib.suppress(OSError):
                    self._handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Abort, and free the descriptors; only the thread that reads may call this."""
        self.abort(CLOSED)
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None
        if self._connection is not None:
            # Without this, a connection that waits in urllib3's pool stays open until it is collected.
            self._connection.close()


class _Response(http.client.HTTPResponse):
    """Refuses a negative chunk size, which http.client passes to ``read``: -1 reads without a limit."""

    def _safe_read(self, amt: int) -> bytes:
        if amt < 0:
            raise http.client.HTTPException("negative chunk size")
        return bytes(super()._safe_read(amt))  # type: ignore[misc]


class _Adapter(HTTPAdapter):
    """Makes requests use one given connection."""

    def __init__(self, connection: AbortableConnection) -> None:
        self._connection = connection
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        pools: dict[str, Any] = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
        self.poolmanager.pool_classes_by_scheme = {
            scheme: type("Pool", (pool,), {"ConnectionCls": self._connection_class(pool.ConnectionCls)})
            for scheme, pool in pools.items()
        }

    def _connection_class(self, base: type[Any]) -> type[Any]:
        connection = self._connection

        def respond(sock: socket.socket, *args: Any, **options: Any) -> http.client.HTTPResponse:
            response = _Response(sock, *args, **options)
            connection.response = response
            return response

        methods = {
            "_new_conn": lambda self: connection.connect(self),
            "response_class": staticmethod(respond),
        }
        return type("Connection", (base,), methods)


class HttpSession(requests.Session):
    """A session of requests over one connection, which ignores the environment and redirects."""

    def __init__(self, connection: AbortableConnection, headers: Headers, verify: str | bool) -> None:
        super().__init__()
        # No .netrc, proxy or CA bundle from the environment: each could send the token elsewhere.
        self.trust_env = False
        self.verify = verify
        self.headers.update(headers)
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(connection))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return no target: requests would read the whole body of a redirect, even if it does not follow."""
        return
